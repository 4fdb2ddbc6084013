import { main } from '../main.ts'
import { probe } from './probe.ts'

main(probe)
