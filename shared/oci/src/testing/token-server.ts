import { createHash, randomUUID, sign, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { type Seen, startServer, type TestCertificates } from '@carryall/http/testing'

export interface TokenServer extends AsyncDisposable {
  readonly realm: string
  readonly service: string
  readonly issuer: string
  readonly rootcertbundle: string
  readonly requests: readonly Seen[]
}

export interface TokenServerOptions {
  readonly certificates: TestCertificates
  /** Actions that an account, '' for anonymous, is given of those asked for. */
  readonly grant: (account: string, repository: string, action: string) => boolean
  /** Password or identity token by account; what else is presented is refused with 401. */
  readonly accounts?: Readonly<Record<string, string>>
  /** Seconds, as said in `expires_in`. */
  readonly life?: number
  readonly address?: string
}

/** A token server (distribution: token authentication) for `startDockerRegistry({ token })`: GET with Basic, and OAuth2 POST. */
export async function startTokenServer(options: TokenServerOptions): Promise<TokenServer> {
  const { certificates, accounts = {}, life = 60 } = options
  const [key, cert] = await Promise.all([readFile(certificates.key), readFile(certificates.cert, 'utf8')])
  const names = { service: 'test-registry', issuer: 'test-issuer' }
  const server = await startServer(
    (seen, response) => {
      const account = accountOf(seen, accounts)
      if (account === undefined) return void response.writeHead(401).end()
      const form =
        seen.method === 'POST'
          ? new URLSearchParams(seen.body.toString())
          : new URL(seen.url, 'http://x').searchParams
      const scopes = form
        .getAll('scope')
        .flatMap((scope) => scope.split(' '))
        .filter(Boolean)
      const access = scopes.map((scope) => {
        const [type = '', name = '', actions = ''] = scope.split(':')
        return {
          type,
          name,
          actions: actions.split(',').filter((action) => options.grant(account, name, action)),
        }
      })
      const token = jwt(key, cert, { ...names, account, access, life })
      response.end(
        JSON.stringify({ [seen.method === 'POST' ? 'access_token' : 'token']: token, expires_in: life }),
      )
    },
    options.address === undefined ? {} : { address: options.address },
  )
  return {
    ...names,
    realm: `${server.url}/token`,
    rootcertbundle: certificates.cert,
    requests: server.requests,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

function accountOf(
  { method, headers, body }: Seen,
  accounts: Readonly<Record<string, string>>,
): string | undefined {
  const holder = (secret: string | null) => Object.keys(accounts).find((name) => accounts[name] === secret)
  if (method === 'POST') return holder(new URLSearchParams(body.toString()).get('refresh_token'))
  if (headers.authorization === undefined) return ''
  const [name = '', password = ''] = Buffer.from(headers.authorization.slice('Basic '.length), 'base64')
    .toString()
    .split(':')
  return accounts[name] === password ? name : undefined
}

function jwt(
  key: Buffer,
  cert: string,
  claims: {
    readonly service: string
    readonly issuer: string
    readonly account: string
    readonly access: object
    readonly life: number
  },
): string {
  const x5c = [new X509Certificate(cert).raw.toString('base64')]
  const now = Math.floor(Date.now() / 1000)
  const payload = {
    iss: claims.issuer,
    sub: claims.account,
    aud: claims.service,
    exp: now + claims.life,
    nbf: now - 10,
    iat: now,
    jti: createHash('sha256').update(randomUUID()).digest('hex'),
    access: claims.access,
  }
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${encode({ typ: 'JWT', alg: 'ES256', x5c })}.${encode(payload)}`
  const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' })
  return `${signed}.${signature.toString('base64url')}`
}
