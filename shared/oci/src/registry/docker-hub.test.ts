import { expect, test } from 'vitest'
import { registryHost } from './docker-hub.ts'
import { accessTo, repositoryPath } from './names.ts'

test.each([
  ['docker.io', 'nginx', 'registry-1.docker.io', '/v2/library/nginx'],
  ['index.docker.io', 'nginx', 'registry-1.docker.io', '/v2/library/nginx'],
  ['docker.io', 'group/app', 'registry-1.docker.io', '/v2/group/app'],
  ['registry.example:5000', 'nginx', 'registry.example:5000', '/v2/nginx'],
])('%s/%s is %s%s', (host, repository, asked, path) => {
  expect(registryHost(host)).toBe(asked)
  expect(repositoryPath(host, repository)).toBe(path)
})

test('rights are asked for by the name that the registry knows', () => {
  expect(accessTo('docker.io', 'nginx', 'pull,push', 'alpine')).toEqual({
    repository: 'library/nginx',
    scopes: ['repository:library/nginx:pull,push', 'repository:library/alpine:pull'],
  })
  expect(accessTo('a.example', 'x', 'pull,push', 'x').scopes).toEqual(['repository:x:pull,push'])
})
