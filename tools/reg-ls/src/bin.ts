#!/usr/bin/env node
import { main } from '@carryall/cli'
import { command } from './command.ts'

main(command)
