/** Messages for people, on stderr; never documents. `fields` appear with `--log-format json` and `-v`. */
export interface Log {
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void
}
