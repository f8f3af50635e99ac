import { execa } from 'execa';
import { createInterface } from 'node:readline';
import { isAbsolute, join } from 'node:path';
import { run } from '../../lib/exec.js';
import { findExecutable } from '../../lib/exists.js';
import { U7sError } from '../../lib/errors.js';
import { killTree } from '../../lib/kill-tree.js';

type Env = Record<string, string | undefined>;

/** The modules in build/ require it. */
export const oldestGo = [1, 26] as const;
const installGo = `install Go ${oldestGo.join('.')} or newer (https://go.dev/doc/install) and put it on PATH`;

/** What a build inherits from the caller's environment; anything else could change its result. */
const passed = [
  ...['PATH', 'HOME', 'TMPDIR', 'GOTMPDIR', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'GIT_SSL_CAINFO'],
  ...[
    'HTTP_PROXY',
    'HTTPS_PROXY',
    'ALL_PROXY',
    'NO_PROXY',
    'http_proxy',
    'https_proxy',
    'all_proxy',
    'no_proxy',
  ],
  ...['GOPROXY', 'GONOPROXY', 'GOPRIVATE', 'GOSUMDB', 'GONOSUMDB', 'GOINSECURE', 'GOVCS', 'GOAUTH', 'NETRC'],
  ...['CC', 'PKG_CONFIG_PATH'],
];

export function goEnvironment(env: Env, options: { goCache: string; arch: string; cgo: boolean }): Env {
  return {
    ...Object.fromEntries(passed.map((name) => [name, env[name]])),
    GOTOOLCHAIN: 'local',
    GOWORK: 'off',
    GOFLAGS: '-modcacherw -mod=readonly',
    GOOS: 'linux',
    GOARCH: options.arch,
    GOPATH: options.goCache,
    GOMODCACHE: join(options.goCache, 'mod'),
    GOCACHE: join(options.goCache, 'build'),
    CGO_ENABLED: options.cgo ? '1' : '0',
  };
}

/** The first executable called `name` on PATH. */
export async function findOnPath(
  name: string,
  env: Env,
  further: readonly string[] = [],
): Promise<string | undefined> {
  const folders = [...(env['PATH'] ?? '').split(':'), ...further];
  return findExecutable(name, folders.filter(isAbsolute));
}

/** The Go command. Throws when there is none, or an old one. */
export async function findGo(env: Env): Promise<string> {
  // Go's instructions put it there; usually only a login shell adds it to PATH.
  const go = await findOnPath('go', env, ['/usr/local/go/bin']);
  if (!go) throw new U7sError('no-go', 'there is no Go on PATH', { fixes: [installGo] });
  const { stdout } = await run(go, ['env', 'GOVERSION'], { cwd: '/', env: { ...env, GOTOOLCHAIN: 'local' } });
  const [, major = 0, minor = 0] = (/^go(\d+)\.(\d+)/.exec(stdout) ?? []).map(Number);
  if (major > oldestGo[0] || (major === oldestGo[0] && minor >= oldestGo[1])) return go;
  throw new U7sError(
    'no-go',
    `${go} is ${stdout.trim() || 'of an unknown version'}, which is too old to build with`,
    {
      fixes: [installGo],
    },
  );
}

export type GoCommand = { go: string; cwd: string; env: Env; signal: AbortSignal };

/** Runs Go, passes on each line of its stderr, and returns its stdout. An abort also ends everything that Go has started. */
export async function runGo(
  command: GoCommand,
  args: readonly string[],
  onLine: (line: string) => void,
): Promise<string> {
  const { go, cwd, env, signal } = command;
  signal.throwIfAborted();
  const child = execa(go, args, {
    cwd,
    env: Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined)),
    extendEnv: false,
    stdin: 'ignore',
    buffer: { stderr: false },
    reject: false,
    detached: true, // or Ctrl-C would end Go before we know of it, and look like a failed build
  });
  let killed: Promise<void> | undefined;
  const kill = (): void => {
    killed = killTree(child.pid);
  };
  signal.addEventListener('abort', kill, { once: true });
  const said: string[] = [];
  try {
    for await (const line of createInterface({ input: child.stderr })) {
      onLine(line);
      said.push(line);
      if (said.length > 20) said.shift();
    }
    const { exitCode, stdout } = await child;
    await killed;
    signal.throwIfAborted();
    if (exitCode === 0) return stdout;
    throw new U7sError(
      'build-failed',
      `go ${args[0]} failed: ${said.slice(-8).join('\n').trim() || `exit code ${exitCode}`}`,
    );
  } finally {
    signal.removeEventListener('abort', kill);
  }
}
