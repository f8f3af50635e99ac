import test from 'ava';
import { planGen2, type Gen2Settings, type Gen2Verb } from '#src/cli/make/gen2.js';

const native: Gen2Settings = {
  node: 'u7s-a',
  image: 'usernetes',
  projectRoot: '/src',
  cwd: '/here',
  hostIp: '192.0.2.10',
  ports: { api: '6443', kubelet: '10250', flannel: '8472' },
  variables: { NODE_SUBNET: '10.100.7.0/24' },
  isTTY: true,
};
const contained: Gen2Settings = { ...native, engine: 'podman' };

const linesOf = (verb: Gen2Verb, settings: Gen2Settings): string[] =>
  planGen2(verb, settings).flatMap((step) => {
    if ('say' in step) return [];
    const { argv, from, to, unless, onlyIf } = step;
    const words = argv.map((word) => (word === process.execPath ? 'node' : word));
    return [
      [
        unless && `[${unless.join(' ')}] ||`,
        onlyIf && `[${onlyIf.join(' ')}] &&`,
        ...words,
        from && `< ${from}`,
        to && `> ${to}`,
      ]
        .filter(Boolean)
        .join(' '),
    ];
  });

test('natively each verb is a command of u7s', (t) => {
  t.deepEqual(linesOf('up', native), ['node /src/bin/u7s.js standby']);
  t.deepEqual(linesOf('kubeadm-init', native), [
    'node /src/bin/u7s.js up default-containerd -d --host-ip 192.0.2.10',
  ]);
  t.deepEqual(linesOf('kubeconfig', native), ['node /src/bin/u7s.js kubeconfig > /here/kubeconfig']);
  t.deepEqual(linesOf('down-v', native), ['node /src/bin/u7s.js cleanup']);
});

test('the token is in a file and on stdin, never among arguments', (t) => {
  t.deepEqual(linesOf('join-command', native), [
    'node /src/bin/u7s.js join-command --reusable > /here/join-command',
  ]);
  t.deepEqual(linesOf('kubeadm-join', native), [
    'node /src/bin/u7s.js join --join-file - < /here/join-command',
  ]);
  t.deepEqual(linesOf('kubeadm-join', contained), [
    'podman exec -i u7s-a u7s join --join-file - < /here/join-command',
  ]);
});

test('with an engine the node is a container that is built, made once and started', (t) => {
  t.deepEqual(linesOf('up', contained), [
    'podman build -t usernetes /src',
    '[podman container inspect u7s-a] || podman run -d --privileged --restart unless-stopped' +
      ' --name u7s-a --hostname u7s-a --volume u7s-a:/home/usernetes/.local/state' +
      ' -p 192.0.2.10:6443:6443 -p 127.0.0.1:6443:6443 -p 192.0.2.10:10250:10250 -p 192.0.2.10:8472:8472/udp' +
      ' -e NODE_SUBNET=10.100.7.0/24 -e NODE_NAME=u7s-a -e HOST_IP=192.0.2.10 usernetes standby --wait',
    'podman start u7s-a',
  ]);
  t.deepEqual(linesOf('kubeadm-init', contained), ['podman exec u7s-a u7s up default-containerd -d']);
  t.deepEqual(linesOf('shell', contained), ['podman exec -it u7s-a u7s shell']);
});

test('what an engine has is removed where it is there; down keeps the volume', (t) => {
  const down = [
    '[podman container inspect u7s-a] && podman stop -t 60 u7s-a',
    '[podman container inspect u7s-a] && podman rm u7s-a',
  ];
  t.deepEqual(linesOf('down', contained), down);
  t.deepEqual(linesOf('down-v', contained), [
    ...down,
    '[podman volume inspect u7s-a] && podman volume rm u7s-a',
  ]);
});
