import { resolve } from 'node:path'
import type { RegistrySettings } from '@carryall/schemas'
import { isDockerHub } from './docker-hub.ts'

/** Who we are at one registry, and whom we trust there. All files are absolute paths. */
export interface HostSettings {
  /** The only file that its credentials are taken from. */
  readonly authfile?: string | undefined
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** First line is the password; mode 0600. */
  readonly passwordFile?: string | undefined
  /** PEM file of authorities to trust as well. */
  readonly caFile?: string | undefined
  /** PEM files of a client certificate and its key. */
  readonly clientCert?: string | undefined
  readonly clientKey?: string | undefined
  /** For the API of Quay or GitLab, never for the registry itself. */
  readonly apiToken?: string | undefined
  /** First line is the token; mode 0600. */
  readonly apiTokenFile?: string | undefined
}

/** The part `registries` of a SyncConfig, and the directory that its files are relative to. */
export interface RegistriesSection {
  readonly settings: Readonly<Record<string, RegistrySettings>>
  readonly directory: string
}

/** Settings by `host[:port]`, as an operator or a URL writes it; what flags say of a host beats the document. */
export function settingsByHost(
  flags: Readonly<Record<string, HostSettings>> = {},
  document?: RegistriesSection,
): (host: string) => HostSettings {
  const found = new Map<string, HostSettings>()
  for (const [host, settings] of Object.entries(document?.settings ?? {}))
    found.set(settingsKey(host), fromDocument(settings, document!.directory))
  for (const [host, settings] of Object.entries(flags)) {
    const { username, passwordFile, ...rest } = found.get(settingsKey(host)) ?? {}
    // A user that was given does not log in with another one's password.
    const login = settings.username === undefined ? { username, passwordFile } : {}
    found.set(settingsKey(host), { ...rest, ...login, ...settings })
  }
  return (host) => found.get(settingsKey(host)) ?? {}
}

/** One name for all spellings of a registry: Docker Hub has several, and URLs leave out the port of https. */
export function settingsKey(host: string): string {
  return isDockerHub(host) ? 'docker.io' : host.toLowerCase().replace(/:443$/, '')
}

function fromDocument(settings: RegistrySettings, directory: string): HostSettings {
  const file = (path: string | undefined) => (path === undefined ? undefined : resolve(directory, path))
  return {
    authfile: file(settings.authfile),
    username: settings.username,
    passwordFile: file(settings.password_file),
    caFile: file(settings.ca_file),
    clientCert: file(settings.client_cert),
    clientKey: file(settings.client_key),
    apiTokenFile: file(settings.api_token_file),
  }
}
