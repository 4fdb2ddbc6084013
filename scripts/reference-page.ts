import { jsonSchema, type Kind } from '../shared/schemas/src/index.ts'

/** As much of JSON Schema as zod writes. */
export interface JsonSchema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | JsonSchema
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly format?: string
}

interface Row {
  readonly key: string
  readonly type: string
  readonly required: boolean
  readonly description: string
}

const INTRODUCTION = `# Documents

<!-- Made by \`pnpm schemas\` from the schemas in \`src\`; change it there. -->

What the tools read and write. JSON and YAML are the same document; \`TOOL --schema=KIND\` prints the JSON Schema of a kind.

- What people write is strict: an unknown key is refused, with its JSON pointer and a suggestion.
- What tools write may come from another release: unknown keys are ignored, unless \`critical\` names them. Another \`kind\`
  or a newer major of \`apiVersion\` is refused.
- YAML has no aliases, anchors, tags and merge keys, and no key twice. Versions, tags and names are text: quote \`"1.10"\`.
- Sizes are bytes, times RFC 3339 in UTC. \`[]\` stands for every item of a list, \`*\` for any key.
`

/** The reference page in Markdown: for each kind what it is and a table of its keys. */
export function referencePage(kinds: readonly Kind[]): string {
  return [INTRODUCTION, ...kinds.map(section)].join('\n')
}

function section({ kind, writtenBy, apiVersions, goKeys }: Kind): string {
  const schema = jsonSchema(kind) as JsonSchema
  const rows = rowsOf(schema, '')
  return `## ${kind}

${schema.description}

Written by ${writtenBy}. \`apiVersion\`: ${apiVersions.map((version) => `\`${version}\``).join(', ')}. [JSON Schema](json/${kind}.schema.json).${
    goKeys ? ' Keys match without regard to case, and a key without a value is as good as absent.' : ''
  }

| key | type | required | description |
|---|---|---|---|
${rows.map(({ key, type, required, description }) => `| \`${key}\` | ${type} | ${required ? 'yes' : ''} | ${description} |\n`).join('')}`
}

function rowsOf(schema: JsonSchema, prefix: string): readonly Row[] {
  const { properties = {}, required = [], additionalProperties, items, anyOf = [] } = schema
  const own = Object.entries(properties).flatMap(([name, inner]) => {
    const key = prefix === '' ? name : `${prefix}.${name}`
    return [row(key, inner, required.includes(name)), ...rowsOf(inner, key)]
  })
  const any = typeof additionalProperties === 'object' ? anyKey(additionalProperties, `${prefix}.*`) : []
  const listed = items === undefined ? [] : rowsOf(items, `${prefix}[]`)
  return [...own, ...any, ...listed, ...branchRows(anyOf, prefix)]
}

function anyKey(schema: JsonSchema, key: string): readonly Row[] {
  return schema.description === undefined
    ? rowsOf(schema, key)
    : [row(key, schema, false), ...rowsOf(schema, key)]
}

/** The keys of several shapes, each once; required is what all of them require. */
function branchRows(branches: readonly JsonSchema[], prefix: string): readonly Row[] {
  const all = branches.map((branch) => rowsOf(branch, prefix))
  const keys = new Map(all.flat().map((one) => [one.key, one]))
  const everywhere = (key: string): boolean =>
    all.every((rows) => rows.some((one) => one.key === key && one.required))
  return [...keys.values()].map((one) => ({ ...one, required: everywhere(one.key) }))
}

function row(key: string, schema: JsonSchema, required: boolean): Row {
  return {
    key,
    type: typeOf(schema),
    required,
    description: (schema.description ?? '').replaceAll('|', '\\|'),
  }
}

function typeOf({
  type,
  format,
  anyOf,
  items,
  enum: values,
  const: only,
  additionalProperties,
}: JsonSchema): string {
  if (only !== undefined) return `\`${String(only)}\``
  if (values !== undefined) return values.map((value) => `\`${String(value)}\``).join(' or ')
  if (anyOf !== undefined) return [...new Set(anyOf.map(typeOf))].join(' or ')
  if (type === 'array') return `list of ${plural(typeOf(items ?? {}))}`
  if (type === 'object') return typeof additionalProperties === 'object' ? 'map' : 'object'
  if (format === 'date-time') return 'time'
  return type === undefined
    ? 'any'
    : [type]
        .flat()
        .map((one) => (one === 'string' ? 'text' : one))
        .join(' or ')
}

function plural(type: string): string {
  return type === 'object' || type === 'text' || type === 'integer' ? `${type}s` : type
}
