import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asUser } from '#src/host/account.js';
import { run, type RunResult } from '#src/lib/exec.js';
import { from, type Attack, type Door } from '../attack.js';
import type { Ground } from '../ground.js';
import { atRootsTerminal, withLauncherOf } from '../terminal.js';

const account = from('account');

/** Root runs a command of ours without a terminal. */
function asRoot(
  { control }: Ground,
  args: readonly string[],
  env: Record<string, string> = {},
  cwd = process.cwd(),
): Promise<RunResult> {
  const [command = '', ...words] = [
    ...control.inside,
    process.execPath,
    join(process.cwd(), 'bin/u7s.js'),
    ...args,
  ];
  return run(command, words, {
    env: { PATH: process.env.PATH, U7S_USER: control.account.name, ...env },
    cwd,
  });
}

/** What the program that the account has put in the launcher's place does while root runs `u7s kubectl get nodes`. */
const terminals: [string, string, string, RegExp][] = [
  [
    'pushes keystrokes into root’s shell',
    `perl -e 'open(my $t, "+<", "/dev/tty"); for (split //, "pushed\\n") { ioctl($t, 0x5412, $_) }; print STDERR "tried\\n"'`,
    '$u7s kubectl get nodes; read -t 1 line; echo "root typed <$line>"',
    /tried[^]*root typed <>/,
  ],
  [
    'reads what root types later',
    '(trap "" HUP TERM; sleep 1; timeout 3 cat </dev/tty >"$found") & echo started',
    '$u7s kubectl get nodes; (sleep 2; echo secret) >$(tty); sleep 2; echo over',
    /^started\nsecret\nover\n---\n$/,
  ],
  [
    'opens root’s terminal by its name',
    'for t in /dev/pts/[0-9]*; do [ "$t" = "$(tty)" ] || true 2>/dev/null <"$t" && [ "$t" != "$(tty)" ] && echo "opened $t"; done; echo looked',
    '$u7s kubectl get nodes',
    /^looked\n---/,
  ],
  [
    'looks for root’s open files',
    'ls -l /proc/$$/fd | grep -c shadow; echo looked',
    'exec 7</etc/shadow 8</etc/shadow; $u7s kubectl get nodes',
    /^0\nlooked\n---/,
  ],
  [
    'looks for secrets in root’s environment',
    'env | grep -c hidden; echo looked',
    'export AWS_SECRET_ACCESS_KEY=hidden SSH_AUTH_SOCK=/hidden GITHUB_TOKEN=hidden; $u7s kubectl get nodes',
    /^0\nlooked\n---/,
  ],
  [
    'looks for the password of root’s proxy',
    'env | grep -i proxy',
    'export HTTPS_PROXY=http://me:hidden@192.0.2.1:3128; $u7s kubectl get nodes',
    /^HTTPS_PROXY=http:\/\/192\.0\.2\.1:3128\n---/,
  ],
  [
    'signals root’s shell',
    'root=$(ps -o ppid= -p $(ps -o ppid= -p $PPID)); kill -STOP 1 $root 2>&1 | grep -ci "not permitted"',
    '$u7s kubectl get nodes',
    /^[12]\n---/,
  ],
  [
    'stays in root’s session',
    'ps -o sid= -p $$ | tr -d " " >"$found"; echo looked',
    'echo "$(ps -o sid= -p $$ | tr -d " ")"; $u7s kubectl get nodes',
    /^(\d+)\nlooked\n---\n(?!\1\n)\d+$/,
  ],
  [
    'gains privileges',
    'grep -E "^(Uid|CapEff|CapInh|CapAmb)" /proc/self/status',
    '$u7s kubectl get nodes',
    /Uid:\t(?!0)(\d+)\t\1\t\1\t\1\nCapInh:\t0+\nCapEff:\t0+\nCapAmb:\t0+/,
  ],
  ['is in root’s groups', 'id -G', '$u7s kubectl get nodes', /^(?!.*\b0\b)[\d ]+\n---/],
];
const atTerminal = terminals.map(([what, script, line, held]) =>
  account('root’s terminal', `a program of the account ${what}`, held, async (ground) => {
    const { result, found } = await withLauncherOf(ground, script, () => atRootsTerminal(ground, line));
    return `${result}\n---\n${found}`.trimEnd().replace(/---$/, '---\n');
  }),
);

/** Has the account change its kubeconfig while root does something. */
async function withKubeconfig<T>(
  { paths, owner }: Ground,
  change: (text: string) => string,
  action: () => Promise<T>,
): Promise<T> {
  const kept = `${paths.adminKubeconfig}.kept`;
  await rename(paths.adminKubeconfig, kept);
  try {
    const changed = change(await readFile(kept, 'utf8'));
    const script = changed.startsWith('link to ')
      ? `ln -s ${changed.slice('link to '.length)} "$1"`
      : 'cat >"$1"';
    await (await owner()).run(['sh', '-c', script, 'sh', paths.adminKubeconfig], { input: changed });
    return await action();
  } finally {
    await rename(kept, paths.adminKubeconfig);
  }
}

const plugin =
  '      exec:\n        apiVersion: client.authentication.k8s.io/v1\n        command: /tmp/of-the-account\n';
const kubeconfigs: [string, (text: string) => string, RegExp][] = [
  ['with a program in it', (text) => `${text}${plugin}`, /^0 kubeconfig of \d+ bytes, nothing else$/],
  [
    'with an auth provider',
    (text) =>
      `${text}      auth-provider:\n        name: gcp\n        config: {cmd-path: /tmp/of-the-account}\n`,
    /^0 kubeconfig of \d+ bytes, nothing else$/,
  ],
  [
    'with a token in root’s files',
    (text) => `${text}      tokenFile: /tmp/of-the-account\n`,
    /^0 kubeconfig of \d+ bytes, nothing else$/,
  ],
  [
    'with a proxy',
    (text) => text.replace('    cluster:\n', '    cluster:\n      proxy-url: http://of-the-account\n'),
    /^0 kubeconfig of \d+ bytes, nothing else$/,
  ],
  ['without TLS', (text) => text.replace('https:', 'http:'), /^1 error\[kubeconfig-invalid\]/],
  ['that is none', () => 'of-the-account\n', /^1 error\[kubeconfig-invalid\]/],
  ['that is endless', () => 'a: b\n'.repeat(100_000), /^1 error\[kubeconfig-invalid\]/],
  ['of aliases', () => 'a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n', /^1 error\[kubeconfig-invalid\]/],
  ['that is a link to a file of root’s', () => 'link to /etc/shadow', /^1 error\[(?!kubeconfig-invalid)/],
];
const said = ({ exitCode, stdout, stderr }: RunResult): string => {
  const foreign = stdout.includes('of-the-account') ? 'and what the account added' : 'nothing else';
  return exitCode === 0
    ? `0 ${/client-key-data/.test(stdout) ? `kubeconfig of ${stdout.length} bytes` : 'no kubeconfig'}, ${foreign}`
    : `${exitCode} ${stderr.split('\n')[0]}`;
};
const printed = kubeconfigs.map(([what, change, held]) =>
  account('what root gets', `root prints a kubeconfig ${what}`, held, (ground) =>
    withKubeconfig(ground, change, async () => said(await asRoot(ground, ['kubeconfig']))),
  ),
);
const made = kubeconfigs.slice(0, 4).map(([what, change]) =>
  account(
    'what root gets',
    `root makes a kubeconfig ${what}`,
    /^0 kubeconfig of \d+ bytes, nothing else$/,
    (ground) =>
      withKubeconfig(ground, change, async () => {
        const folder = await mkdtemp(join(tmpdir(), 'u7s-make-'));
        try {
          const result = await asRoot(ground, ['make', 'kubeconfig'], {}, folder);
          const stdout = await readFile(join(folder, 'kubeconfig'), 'utf8').catch(() => '');
          return said({ ...result, stdout });
        } finally {
          await rm(folder, { recursive: true, force: true });
        }
      }),
  ),
);

const localKubeconfig = join(process.cwd(), 'config/localhost.kubeconfig');
const inCheckout = [kubeconfigs[0], kubeconfigs[8]].flatMap((each) => {
  if (each === undefined) return [];
  const [what, change] = each;
  return [
    account(
      'what root gets',
      `root starts a cluster whose kubeconfig is one ${what}`,
      /^(0 kubeconfig of \d+ bytes|0 no kubeconfig), nothing else$/,
      (ground) =>
        withKubeconfig(ground, change, async () => {
          await rm(localKubeconfig, { force: true });
          const result = await asRoot(ground, ['up', '-d']);
          return said({ ...result, stdout: await readFile(localKubeconfig, 'utf8').catch(() => '') });
        }),
    ),
  ];
});

const lines: [string, string][] = [
  [
    'with another command behind it',
    'u7s join 10.199.0.11:6443 --token abcdef.0123456789abcdef --discovery-token-ca-cert-hash sha256:0; touch /tmp/of-the-account',
  ],
  [
    'with a substitution in it',
    'u7s join $(touch${IFS}/tmp/of-the-account):6443 --token abcdef.0123456789abcdef --discovery-token-ca-cert-hash sha256:0',
  ],
  ['that is another command', 'rm -rf /'],
];
const joining = lines.map(([what, line]) =>
  account(
    'what root gets',
    `root prints a line for joining ${what}`,
    /^2 error\[(no-join-line|invitation-invalid)\]/,
    async (ground) => {
      const { result } = await withLauncherOf(ground, `cat <<'END'\n${line}\nEND\n`, () =>
        asRoot(ground, ['join-command']),
      );
      return `${result.exitCode} ${result.stderr.split('\n')[0]}${result.stdout}`;
    },
  ),
);

const others: Attack[] = [
  account(
    'what root gets',
    'root asks where the account’s kubeconfig is',
    /^2 error\[not-for-root\]/,
    async (ground) => said(await asRoot(ground, ['kubeconfig', '--path'])),
  ),
  account(
    'what root is shown',
    'root is told to run kubectl with the account’s kubeconfig',
    /^(?![^]*kubectl --kube)(?![^]*kubectl --context)[^]*kubectl\.sh/,
    async (ground) =>
      (await asRoot(ground, ['up', '-d'], { PATH: `${await folderWithKubectl()}:${process.env.PATH}` }))
        .stdout,
  ),
  ...['root', '0', '-1', 'nobody at all'].map((name) =>
    account(
      'who root acts as',
      `root acts as ${name}`,
      /^1 error\[(is-root|no-such-user|user-invalid)\]/,
      async (ground) => said(await asRoot(ground, ['status'], { U7S_USER: name })),
    ),
  ),
];

/** Links that the account lays where root's commands write or remove: they lead to a folder of root's. */
const linked: [string, (ground: Ground) => string, string[]][] = [
  ['the launcher’s copies', ({ paths }) => paths.launchers, ['status']],
  [
    'the state of a cluster that root removes',
    ({ paths }) => join(paths.state, '../linked'),
    ['--cluster', 'linked', 'cleanup'],
  ],
  [
    'the runtime folder of a cluster that root removes',
    ({ paths }) => `${paths.runtime}-linked`,
    ['--cluster', 'linked', 'cleanup'],
  ],
];
const links = linked.map(([what, where, args]) =>
  account('lays links', `a link lies at ${what}`, /^kept, nothing planted$/, async (ground) => {
    const folder = await mkdtemp(join(tmpdir(), 'u7s-of-root-'));
    const path = where(ground);
    const kept = await rename(path, `${path}.kept`).then(
      () => true,
      () => false,
    );
    try {
      await writeFile(join(folder, 'precious'), 'precious');
      await mkdir(join(folder, 'pki'));
      const { command, args: words } = asUser(ground.control.account, ['ln', '-s', folder, path], {});
      await run(command, words);
      await asRoot(ground, args);
      const [precious, names] = [
        await readFile(join(folder, 'precious'), 'utf8').catch(() => 'gone'),
        (await run('ls', ['-A', folder])).stdout
          .split('\n')
          .filter((name) => !['precious', 'pki'].includes(name)),
      ];
      return `${precious === 'precious' ? 'kept' : 'gone'}, ${names.length === 0 ? 'nothing planted' : names.join(' ')}`;
    } finally {
      await rm(path, { force: true });
      if (kept) await rename(`${path}.kept`, path);
      await rm(folder, { recursive: true, force: true });
    }
  }),
);

let kubectlFolder: Promise<string> | undefined;
/** Where the host has a kubectl of its own. */
function folderWithKubectl(): Promise<string> {
  return (kubectlFolder ??= (async () => {
    const folder = await mkdtemp(join(tmpdir(), 'u7s-kubectl-'));
    await writeFile(join(folder, 'kubectl'), '#!/bin/sh\n', { mode: 0o755 });
    return folder;
  })());
}

export const accountAttacks: readonly Attack[] = [
  ...atTerminal,
  ...printed,
  ...made,
  ...inCheckout,
  ...joining,
  ...others,
  ...links,
];

/** kubectl tells a terminal's size shortly after the process in the pod has started. */
const sizeOfTerminal =
  'for i in 1 2 3 4 5 6 7 8 9; do size=$(/bin/busybox stty size); case $size in [1-9]*) break;; esac; /bin/busybox sleep 0.3; done; echo $size';

export const accountDoors: readonly Door[] = [
  {
    kind: 'root’s terminal',
    name: 'root has a terminal in a pod, as large as root’s own',
    open: /33 111/,
    opens: async (ground) => {
      await ground.pod('plain');
      return atRootsTerminal(
        ground,
        `$u7s kubectl exec -it -n attacks pod-plain -- /bin/sh -c '${sizeOfTerminal}'`,
      );
    },
  },
  {
    kind: 'what root gets',
    name: 'root prints a kubeconfig, and a line for joining',
    open: /^0 kubeconfig of \d+ bytes, nothing else\nu7s join 10\.199\.0\.11:6443 --token \S+ --discovery-token-ca-cert-hash sha256:[0-9a-f]{64}$/,
    opens: async (ground) =>
      `${said(await asRoot(ground, ['kubeconfig']))}\n${(await asRoot(ground, ['join-command'])).stdout}`,
  },
];
