import { defineVerb, text, toggle, type Command } from '@carryall/cli'
import manifest from '../package.json' with { type: 'json' }

const serveVerb = defineVerb({
  name: '',
  summary: 'Serve an OCI layout, an OCI archive or a content directory as a registry',
  operands: { synopsis: '[DIRECTORY|ARCHIVE]', min: 0, max: 1 },
  reads: [],
  writes: [],
  effects: false,
  flags: {
    address: text('HOST:PORT', 'where to listen; 0.0.0.0 is every interface, port 0 takes a free one', {
      absent: '127.0.0.1:5000',
    }),
    'read-only': toggle('refuse pushes'),
    htpasswd: text(
      'FILE',
      'want a login of one of its users; bcrypt hashes only, as "htpasswd -B" makes them',
    ),
    'anonymous-pull': toggle('with --htpasswd: pulls need no login', { argvOnly: true }),
    'anonymous-push': toggle('let everybody push who can connect, also from elsewhere', { argvOnly: true }),
    'tls-cert': text('FILE', 'speak https with this certificate: PEM, followed by those of its authorities'),
    'tls-key': text('FILE', 'its key: PEM, mode 0600'),
    'allow-plain-http': toggle('with --htpasswd, without TLS, off loopback: a proxy in front speaks TLS', {
      argvOnly: true,
    }),
    'port-file': text('FILE', 'write the port into a file as soon as it answers; removed at the end'),
  },
  examples: [
    {
      command: 'reg-serve content --address 127.0.0.1:5000',
      what: 'Serve the sequences of a content directory, straight from their archives',
    },
    {
      command:
        'reg-serve layout --address 0.0.0.0:5000 --htpasswd users --tls-cert registry.crt --tls-key registry.key',
      what: 'A registry for the network, where users log in',
    },
    {
      command: 'reg-serve layout --port-file port & until [ -s port ]; do sleep 0.1; done',
      what: 'Start in the background and wait until it answers',
    },
  ],
  run: async (context, flags, operands) => (await import('./run.ts')).runServer(context, flags, operands),
})

export const command: Command = {
  name: 'reg-serve',
  version: manifest.version,
  summary: 'A registry in one process',
  verbs: [serveVerb],
}
