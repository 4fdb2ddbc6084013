import { expect, test } from 'vitest'
import { settingsByHost } from './host-settings.ts'

const document = {
  directory: '/etc/sync',
  settings: {
    'a.example': { username: 'doc', password_file: 'a.pw', api_token_file: '/run/token', ca_file: 'ca.pem' },
    'index.docker.io': { authfile: 'hub.json' },
    'b.example:443': { client_cert: 'b.cert', client_key: 'b.key' },
  },
}

test('files of a document are relative to it, and a registry is found by any of its names', () => {
  const settings = settingsByHost(undefined, document)
  expect(settings('A.example')).toMatchObject({
    username: 'doc',
    passwordFile: '/etc/sync/a.pw',
    apiTokenFile: '/run/token',
    caFile: '/etc/sync/ca.pem',
  })
  expect(settings('registry-1.docker.io')).toMatchObject({ authfile: '/etc/sync/hub.json' })
  expect(settings('b.example')).toMatchObject({
    clientCert: '/etc/sync/b.cert',
    clientKey: '/etc/sync/b.key',
  })
  expect(settings('c.example')).toEqual({})
})

test('flags beat the document, and a user of theirs does not get its password', () => {
  const flags = { 'a.example': { username: 'flag', password: 'word', apiToken: 'token' } }
  const { username, password, passwordFile, apiToken, caFile } = settingsByHost(flags, document)('a.example')
  expect({ username, password, passwordFile, apiToken, caFile }).toEqual({
    username: 'flag',
    password: 'word',
    passwordFile: undefined,
    apiToken: 'token',
    caFile: '/etc/sync/ca.pem',
  })
  expect(settingsByHost({ 'a.example': { apiToken: 'token' } }, document)('a.example')).toMatchObject({
    username: 'doc',
    passwordFile: '/etc/sync/a.pw',
  })
})
