import { dirname } from 'node:path';
import type { KubernetesPlan, NamespacePlan } from '#src/plan/types.js';
import { renderComponentKubeconfig } from '#src/kube/kubeconfig.js';
import { authorities, type CertificateSpec } from '#src/pki/certificates.js';
import type { ProbeTarget, ServiceDefinition } from '#src/supervisor/definition.js';

/** What a shell launcher is written from: the very flags and files of ours. */
export type ShellPlan = {
  namespaces: NamespacePlan;
  services: readonly ServiceDefinition[];
  kubernetes: KubernetesPlan;
  certificates: readonly CertificateSpec[];
  /** Folders to make, the PKI's among them. */
  folders: readonly string[];
  pki: string;
  kubectl: string;
  adminKubeconfig: string;
  /** The add-ons as one JSON list. */
  addonsFile: string;
};

/**
 * The launcher that a sensible person writes in an afternoon: openssl, then one service after another, each waited for
 * by asking once a second. It ends when its standard input does.
 */
export function naiveLauncher(plan: ShellPlan, inner: string): string {
  const { namespaces, kubernetes, pki, kubectl, adminKubeconfig, addonsFile } = plan;
  const admin = renderComponentKubeconfig(kubernetes.api);
  const call = `${quote(kubectl)} --kubeconfig ${quote(adminKubeconfig)}`;
  return script(`
${makeFolders(plan)}
if ! [ -e ${quote(pki)}/ca.crt ]; then
${opensslPki(plan)}
fi
${writeFile(adminKubeconfig, admin, 0o600)}
${openNamespaces(namespaces, inner)} <&3 &
until ${call} get node ${kubernetes.nodeName} >/dev/null 2>&1; do sleep 1; done
${call} wait --for=condition=Ready node/${kubernetes.nodeName} --timeout=300s
${call} apply --server-side -f ${quote(addonsFile)}
${call} -n kube-system rollout status deployment/coredns --timeout=300s
echo up
wait`);
}

/** What runs in the namespaces of the naive launcher. */
export function naiveServices({ namespaces, services: definitions }: ShellPlan): string {
  const services = definitions.map((service) =>
    service.kind === 'task'
      ? run(service)
      : `${start(service, namespaces.logs)}\nuntil ${probe(service)}; do sleep 1; done`,
  );
  return script(`
${prepareNamespaces(namespaces)}
${services.join('\n')}
${untilInputEnds}`);
}

/** The least that gives a Ready node: certificates and images are there, no DNS, everything as early as it can start. */
export function floorLauncher(plan: ShellPlan, inner: string): string {
  return script(`
${makeFolders(plan)}
exec ${openNamespaces(plan.namespaces, inner)} <&3`);
}

/** What runs in the namespaces of the floor. */
export function floorServices({ namespaces, services: definitions }: ShellPlan): string {
  const find = (name: string): ServiceDefinition => {
    const service = definitions.find((each) => each.name === name);
    if (service === undefined) throw new Error(`there is no service ${name}`);
    return service;
  };
  const { ready } = find('kube-apiserver');
  const apiPort = ready?.type === 'http' ? new URL(ready.url).port : '';
  const begin = (name: string): string => start(find(name), namespaces.logs);
  const poll = (name: string): string => `until ${probe(find(name))}; do sleep 0.02; done`;
  return script(`
${prepareNamespaces(namespaces)}
${['etcd', 'kube-apiserver', 'containerd'].map(begin).join('\n')}
${poll('containerd')}
${run(find('bundled-images'))}
until { : >/dev/tcp/127.0.0.1/${apiPort}; } 2>/dev/null; do sleep 0.02; done
${poll('kube-apiserver')}
${['kubelet', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy'].map(begin).join('\n')}
echo up
${untilInputEnds}`);
}

/** Standard input is kept as descriptor 3, since what a shell puts in the background gets none. */
const script = (body: string): string => `#!/bin/bash\nset -eu\nexec 3<&0${body}\n`;

/** What does not end within a second is killed with the namespaces: how long a stop takes is not compared. */
const untilInputEnds = `
while read -r _ <&3; do :; done
kill $(jobs -p) 2>/dev/null
sleep 1`;

function makeFolders({ folders, namespaces }: ShellPlan): string {
  return `rm -rf ${quote(namespaces.rootlesskitDir)}\nmkdir -p -m 0700 ${folders.map(quote).join(' ')}`;
}

function openNamespaces({ rootlesskit }: NamespacePlan, inner: string): string {
  const { command, args, env } = rootlesskit;
  return `env -i ${assignments(env)} ${[command, ...args, '/bin/bash', inner].map(quote).join(' ')}`;
}

function prepareNamespaces({ setup }: NamespacePlan): string {
  return [
    ...[...setup.hostPaths, ...setup.binds].flatMap(({ source, target }) => [
      ...(setup.remove.includes(target) ? [`rm -rf ${quote(target)}`] : []),
      `mkdir -p ${quote(source)} ${quote(target)}`,
      `mount --rbind ${quote(source)} ${quote(target)}`,
    ]),
    'mount --make-rshared /',
    ...setup.tmpfs.map(
      (target) => `mkdir -p ${quote(target)}; mount -t tmpfs -o mode=0755 none ${quote(target)}`,
    ),
    ...Object.entries(setup.sysctls).map(([key, value]) => `echo ${value} >/proc/sys/${key}`),
  ].join('\n');
}

function start(service: ServiceDefinition, logs: string): string {
  return `${run(service)} >>${quote(`${logs}/${service.name}.log`)} 2>&1 &`;
}

function run({ command, args, env, files }: ServiceDefinition): string {
  const written = files.map(({ path, content, mode }) => writeFile(path, content, mode));
  return [...written, `env -i ${assignments(env)} ${[command, ...args].map(quote).join(' ')}`].join('\n');
}

function probe({ name, ready }: ServiceDefinition): string {
  const target: ProbeTarget | undefined = ready;
  if (target?.type === 'unix') return `[ -S ${target.path} ]`;
  if (target?.type !== 'http') throw new Error(`no shell can tell when ${name} is ready`);
  const ca = target.caFile === undefined ? '' : `--cacert ${quote(target.caFile)} `;
  return `curl -sf -o /dev/null ${ca}${target.url}`;
}

function writeFile(path: string, content: string, mode: number): string {
  const ended = content.endsWith('\n') ? content : `${content}\n`;
  return `mkdir -p ${quote(dirname(path))}
cat >${quote(path)} <<'END-OF-FILE'
${ended}END-OF-FILE
chmod ${mode.toString(8)} ${quote(path)}`;
}

/** The same authorities, leaves and secrets as ours, with openssl; elliptic curves too. */
function opensslPki({ pki, certificates }: ShellPlan): string {
  const newKey = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes';
  const usages = { server: 'serverAuth', client: 'clientAuth', both: 'serverAuth,clientAuth' };
  const made = Object.entries(authorities).map(
    ([name, commonName]) =>
      `openssl req -x509 ${newKey} -keyout ${name}.key -out ${name}.crt -days 3650 -subj /CN=${commonName} -addext keyUsage=critical,digitalSignature,keyCertSign,cRLSign`,
  );
  const leaves = certificates.map(({ name, authority, commonName, organization, usage, hosts }) => {
    const subject = `${organization === undefined ? '' : `/O=${organization}`}/CN=${commonName}`;
    const names = hosts.map((host) => `${/^[\d.]+$|::/.test(host) ? 'IP' : 'DNS'}:${host}`).join(',');
    const extensions = [
      'keyUsage=critical,digitalSignature',
      `extendedKeyUsage=${usages[usage]}`,
      ...(names === '' ? [] : [`subjectAltName=${names}`]),
    ].join('\\n');
    return `openssl req -new ${newKey} -keyout ${name}.key -out ${name}.csr -subj ${subject}
printf '${extensions}\\n' >${name}.ext
openssl x509 -req -in ${name}.csr -CA ${authority}.crt -CAkey ${authority}.key -CAcreateserial -days 365 -extfile ${name}.ext -out ${name}.crt`;
  });
  return `(
cd ${quote(pki)}
{
${made.join('\n')}
${leaves.join('\n')}
openssl ecparam -name prime256v1 -genkey -noout -out sa.key
openssl ec -in sa.key -pubout -out sa.pub
} 2>/dev/null
cat >encryption-config.yaml <<END
apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
  - resources: [secrets]
    providers:
      - secretbox: { keys: [{ name: key1, secret: "$(head -c 32 /dev/urandom | base64)" }] }
      - identity: {}
END
)`;
}

const assignments = (env: Record<string, string>): string =>
  Object.entries(env)
    .map(([name, value]) => `${name}=${quote(value)}`)
    .join(' ');

const quote = (word: string): string =>
  /^[-\w./:=,@%+]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
