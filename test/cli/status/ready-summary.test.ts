import test from 'ava';
import { readySummary } from '#src/cli/status/ready-summary.js';
import { scriptTypist } from '#src/cli/typist.js';
import { aboutInstance, plainTypist, type Typist } from '#src/lib/fixes.js';

const typedBy =
  (typist: Typist, instance?: string) =>
  (args: readonly string[]): string =>
    typist('u7s', aboutInstance(instance, args));

const summary = {
  cluster: 'default',
  status: { nodeName: 'u7s-host', apiServer: 'https://127.0.0.1:6443' },
  state: 'is ready after 8.2s',
  typed: typedBy(scriptTypist('.')),
  checkout: '.',
  foreground: true,
};

test('in the foreground: node, API, the next commands, and how it ends', (t) => {
  t.is(
    readySummary(summary),
    `
cluster default is ready after 8.2s
  node  u7s-host
  API   https://127.0.0.1:6443

  ./kubectl.sh get nodes -o wide
  ./cleanup.sh   removes it with its data

Ctrl-C stops it; its data stays.
`,
  );
});

test('commands are written for the cluster meant, the folder they are typed in and the kubectl that is there', (t) => {
  const elsewhere = {
    ...summary,
    cluster: 'second',
    typed: typedBy(scriptTypist('/opt/usernetes'), 'second'),
    checkout: '/opt/usernetes',
    foreground: false,
  };
  t.is(
    readySummary({ ...elsewhere, hostKubectl: 'context' }),
    `
cluster second is ready after 8.2s
  node  u7s-host
  API   https://127.0.0.1:6443

  /opt/usernetes/kubectl.sh --cluster second get nodes -o wide
  kubectl --context usernetes-second get pods -A
  /opt/usernetes/bin/u7s.js --cluster second down   stops it; its data stays
  /opt/usernetes/cleanup.sh --cluster second        removes it with its data
`,
  );
  t.regex(
    readySummary({ ...elsewhere, hostKubectl: 'kubeconfig' }),
    /^ {2}kubectl --kubeconfig \/opt\/usernetes\/config\/localhost\.kubeconfig get pods -A$/m,
  );
});

test('where there is no checkout, the words are those of u7s', (t) => {
  const text = readySummary({
    ...summary,
    typed: typedBy(plainTypist),
    checkout: undefined,
    foreground: false,
  });
  t.regex(text, /\n {2}u7s kubectl get nodes -o wide\n/);
  t.regex(text, /\n {2}u7s down {6}stops it; its data stays\n {2}u7s cleanup {3}removes it with its data\n/);
});

test('a dockerd is told of, with Kubernetes and without', (t) => {
  const dockerSocket = '/run/user/1001/docker.sock';
  t.regex(
    readySummary({ ...summary, dockerSocket }),
    /^ {2}API {5}https:.*\n {2}docker {2}unix:\/\/\/run\/user\/1001\/docker\.sock\n\n.*\n {2}\.\/dockercli\.sh info$/m,
  );
  t.is(
    readySummary({ ...summary, status: {}, dockerSocket }),
    `
cluster default is ready after 8.2s
  docker  unix:///run/user/1001/docker.sock

  ./dockercli.sh info
  ./cleanup.sh   removes it with its data

Ctrl-C stops it; its data stays.
`,
  );
});
