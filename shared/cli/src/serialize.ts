import type { Item } from './command.ts'

/** A document as text: `compact` one line of JSON, `pretty` JSON for people, `yaml` a document of a stream. */
export type Style = 'compact' | 'pretty' | 'yaml'

export type Serialize = (item: Item, index: number) => string

/** Text of items, each ending in a newline; keys in the order given, `result` last. Same items, same bytes. */
export async function serializer(style: Style): Promise<Serialize> {
  if (style === 'compact') return (item) => `${JSON.stringify(whole(item))}\n`
  if (style === 'pretty') return (item) => `${JSON.stringify(whole(item), null, 2)}\n`
  const { toYaml } = await import('@carryall/schemas/text')
  return (item, index) => `${index === 0 ? '' : '---\n'}${toYaml(whole(item))}`
}

function whole({ document, result }: Item): object {
  return result === undefined ? document : { ...document, result }
}
