// What reads and prints documents without knowing any kind: it starts without zod.
export { parseJsonTexts, toJson, toPrettyJson } from './json.ts'
export { API_VERSION } from './kind.ts'
export { plainYaml } from './plain-yaml.ts'
export { readDocuments } from './read-documents.ts'
export { toYaml } from './yaml.ts'
