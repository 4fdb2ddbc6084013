import { acts, at, link, NO_REFERRERS, realm, refused, type Scenario, when } from './origin-lures.ts'

/** What a hostile registry tries so that credentials go elsewhere, and what comes of it (DESIGN §6.6). */
export const SCENARIOS: readonly Scenario[] = [
  // Redirects: followed, with nothing on us.
  ...(['head', 'manifest', 'blob', 'rest', 'hasBlob', 'tags', 'repositories', 'referrers'] as const).map(
    (name) => ({
      name: `${name} is redirected to another host`,
      lure: at(/^\/v2\/./, ({ host }) => `${host}/stolen`),
      act: acts[name],
      asked: true,
      ...(name === 'hasBlob' ? {} : { code: 'AUTH_DENIED' }),
    }),
  ),
  ...(['port', 'name', 'six'] as const).map((sink) => ({
    name: `a blob is redirected to another ${sink}`,
    lure: at(/blobs/, (sinks) => `${sinks[sink]}/stolen`),
    act: acts.blob,
    asked: true,
    code: 'AUTH_DENIED',
  })),
  {
    name: 'a blob is redirected without a scheme',
    lure: at(/blobs/, ({ host }) => host.replace('http:', '')),
    act: acts.blob,
    asked: true,
    code: 'AUTH_DENIED',
  },
  {
    name: 'a blob is redirected with backslashes',
    lure: at(/blobs/, ({ host }) => host.replace('http://', '\\\\')),
    act: acts.blob,
    asked: true,
    code: 'AUTH_DENIED',
  },
  {
    name: 'a blob is redirected at home, then away',
    lure: (seen, sinks) =>
      at(/blobs/, () => '/elsewhere')(seen, sinks, '') ??
      at(/elsewhere/, ({ port }) => port)(seen, sinks, ''),
    act: acts.blob,
    asked: true,
    code: 'AUTH_DENIED',
  },
  {
    name: 'a blob is redirected to another scheme',
    lure: at(/blobs/, ({ host }) => host.replace('http:', 'https:')),
    act: acts.blob,
    asked: true,
    code: 'NET_TLS',
  },
  {
    name: 'a blob is redirected with a user',
    lure: at(/blobs/, ({ host }, own) => host.replace('http://', `${own}@`)),
    act: acts.blob,
    ...refused,
  },
  {
    name: 'a manifest is redirected to a metadata address',
    lure: at(/manifests/, () => 'http://169.254.169.254/latest'),
    act: acts.manifest,
    ...refused,
  },
  {
    name: 'the first request is redirected to who wants a password',
    lure: at(/^\/v2\/$/, ({ host }) => host),
    act: acts.manifest,
    asked: true,
  },
  {
    name: 'bearer: a blob is redirected to another host',
    lure: at(/blobs/, ({ host }) => host),
    act: acts.blob,
    asked: true,
    code: 'AUTH_DENIED',
    login: 'bearer',
  },
  {
    name: 'bearer: a blob is redirected to another port',
    lure: at(/blobs/, ({ port }) => port),
    act: acts.blob,
    asked: true,
    code: 'AUTH_DENIED',
    login: 'bearer',
  },
  // Writes are not redirected at all.
  {
    name: 'the beginning of an upload is redirected',
    lure: when(
      'POST',
      at(/uploads/, ({ port }) => port),
    ),
    act: acts.putSmall,
    code: 'REG_PROTOCOL',
  },
  {
    name: 'an upload is redirected',
    lure: when(
      'PUT',
      at(/uploads/, ({ port }) => port),
    ),
    act: acts.putLarge,
    code: 'REG_PROTOCOL',
  },
  {
    name: 'a manifest on its way in is redirected',
    lure: when(
      'PUT',
      at(/manifests/, ({ host }) => host),
    ),
    act: acts.putManifest,
    code: 'REG_PROTOCOL',
  },
  // Upload locations.
  ...(['host', 'port', 'name', 'six'] as const).map((sink) => ({
    name: `an upload’s location is at another ${sink}`,
    lure: when(
      'POST',
      at(/uploads/, (sinks) => `${sinks[sink]}/upload`, 202),
    ),
    act: acts.putSmall,
    ...refused,
  })),
  {
    name: 'an upload’s location has no scheme',
    lure: when(
      'POST',
      at(/uploads/, ({ host }) => host.replace('http:', ''), 202),
    ),
    act: acts.putLarge,
    ...refused,
  },
  {
    name: 'an upload’s location has another scheme',
    lure: when(
      'POST',
      at(/uploads/, (_, own) => own.replace('http:', 'https:'), 202),
    ),
    act: acts.putLarge,
    ...refused,
  },
  {
    name: 'an upload’s location has a user',
    lure: when(
      'POST',
      at(/uploads/, ({ host }, own) => host.replace('http://', `${own}@`), 202),
    ),
    act: acts.putLarge,
    ...refused,
  },
  {
    name: 'an upload’s location is at home with a user',
    lure: when(
      'POST',
      at(/uploads/, (_, own) => own.replace('http://', 'http://me@'), 202),
    ),
    act: acts.putLarge,
    ...refused,
  },
  {
    name: 'the location after a PATCH is at another port',
    lure: (seen, sinks) =>
      seen.method === 'PUT'
        ? { status: 405 }
        : seen.method === 'PATCH'
          ? { status: 202, headers: { location: sinks.port } }
          : undefined,
    act: acts.putLarge,
    ...refused,
  },
  {
    name: 'bearer: an upload’s location is at another port',
    lure: when(
      'POST',
      at(/uploads/, ({ port }) => port, 202),
    ),
    act: acts.putSmall,
    ...refused,
    login: 'bearer',
  },
  // Pages.
  ...(['host', 'port', 'name', 'six'] as const).map((sink) => ({
    name: `the next page of tags is at another ${sink}`,
    lure: link(/tags/, (sinks) => `${sinks[sink]}/v2/a/tags/list?last=a`, { tags: ['a'] }),
    act: acts.tags,
    ...refused,
  })),
  {
    name: 'the next page of the catalog is at another host',
    lure: link(/_catalog/, ({ host }) => host, { repositories: ['a'] }),
    act: acts.repositories,
    ...refused,
  },
  {
    name: 'the next page of the catalog has no scheme',
    lure: link(/_catalog/, ({ host }) => host.replace('http:', ''), { repositories: ['a'] }),
    act: acts.repositories,
    ...refused,
  },
  {
    name: 'the next page of referrers is at another port',
    lure: link(/referrers/, ({ port }) => port, NO_REFERRERS),
    act: acts.referrers,
    ...refused,
  },
  // Token servers.
  ...(['host', 'name', 'six'] as const).map((sink) => ({
    name: `the token server is another ${sink}`,
    lure: realm((sinks) => `${sinks[sink]}/token`),
    act: acts.manifest,
    ...refused,
  })),
  {
    name: 'an identity token is wanted by another host',
    lure: realm(({ host }) => host),
    act: acts.manifest,
    ...refused,
    login: 'identity',
  },
  {
    name: 'the token server has a user',
    lure: realm(({ host }, own) => host.replace('http://', `${own}@`)),
    act: acts.manifest,
    ...refused,
  },
  {
    name: 'the token server has backslashes',
    lure: realm(({ host }) => host.replace('http://', 'http:\\\\')),
    act: acts.manifest,
    ...refused,
  },
  {
    name: 'the token server is a metadata address',
    lure: realm(() => 'http://169.254.169.254/token'),
    act: acts.manifest,
    ...refused,
  },
  {
    name: 'the token server is the unspecified address',
    lure: realm(({ host }) => `http://0.0.0.0:${new URL(host).port}/`),
    act: acts.manifest,
    ...refused,
  },
  {
    name: 'the token server redirects away',
    lure: (seen, sinks, own) =>
      at(/^\/token/, ({ host }) => host)(seen, sinks, own) ?? realm(() => `${own}/token`)(seen, sinks, own),
    act: acts.manifest,
    asked: true,
    code: 'AUTH_DENIED',
  },
  {
    name: 'the token server redirects an identity token away',
    lure: (seen, sinks, own) =>
      at(/^\/token/, ({ host }) => host)(seen, sinks, own) ?? realm(() => `${own}/token`)(seen, sinks, own),
    act: acts.manifest,
    code: 'REG_PROTOCOL',
    login: 'identity',
  },
  {
    name: 'a token would add a header',
    lure: (seen, _, own) =>
      seen.url.startsWith('/token')
        ? { status: 200, body: '{"token":"x\\r\\nx-secret: y"}' }
        : realm(() => `${own}/token`)(seen, _, own),
    act: acts.manifest,
    code: 'REG_PROTOCOL',
  },
  // The fallback for referrers writes, too.
  {
    name: 'the fallback tag for referrers is redirected',
    lure: when(
      'GET',
      at(/manifests\/sha256-/, ({ host }) => host),
    ),
    act: acts.putReferrer,
    asked: true,
    code: 'AUTH_DENIED',
  },
]
