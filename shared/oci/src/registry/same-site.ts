import { isIP } from 'node:net'

// Below these names anyone can have a host, so sharing them says nothing. Being listed only means that a token server
// elsewhere below has to be allowed by name.
const SHARED = new Set(
  (
    'amazonaws.com appspot.com azure.com azurecr.io azurewebsites.net backblazeb2.com aliyuncs.com cloudapp.net ' +
    'cloudflarestorage.com cloudfront.net cloudsmith.io dedyn.io deno.dev digitaloceanspaces.com duckdns.org dyndns.org ' +
    'fly.dev github.io gitlab.io googleapis.com herokuapp.com jfrog.io myhuaweicloud.com myqcloud.com netlify.app ' +
    'ngrok.app ngrok.io nip.io no-ip.com ocir.io onrender.com oraclecloud.com pages.dev pkg.dev r2.dev railway.app ' +
    'readthedocs.io run.app scw.cloud sslip.io vercel.app web.app windows.net workers.dev xip.io'
  ).split(' '),
)

/**
 * True where two host names are equal or belong to one owner as far as their last labels tell: `auth.docker.io` and
 * `registry-1.docker.io`. Names directly below a public suffix are not told apart from a complete list but from its
 * pattern (two-letter countries with a short second label) and the large hosters, on the careful side.
 */
export function isSameSite(a: string, b: string): boolean {
  const [one, other] = [tidy(a), tidy(b)]
  if (one === other) return true
  const domain = registrable(one)
  return domain !== undefined && domain === registrable(other)
}

function registrable(host: string): string | undefined {
  if (isIP(host.replace(/^\[|\]$/g, '')) !== 0) return undefined
  const labels = host.split('.')
  const [second = '', top = ''] = labels.slice(-2)
  const shared = SHARED.has(`${second}.${top}`) || (top.length === 2 && second.length <= 3)
  const count = shared ? 3 : 2
  return labels.length < count ? undefined : labels.slice(-count).join('.')
}

function tidy(host: string): string {
  return host.toLowerCase().replace(/\.$/, '')
}
