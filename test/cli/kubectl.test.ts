import test from 'ava';
import { needsCluster } from '#src/instance/programs/kubectl.js';
import { takeCluster } from '#src/cli/wrapped.js';

test('--cluster right after the word is ours, anywhere else it is kubectl’s', (t) => {
  t.deepEqual(takeCluster(['--cluster', 'two', 'get', 'pods']), { cluster: 'two', args: ['get', 'pods'] });
  t.deepEqual(takeCluster(['--cluster=two', 'get', 'pods']), { cluster: 'two', args: ['get', 'pods'] });
  t.deepEqual(takeCluster(['get', '--cluster', 'two']), { args: ['get', '--cluster', 'two'] });
  t.deepEqual(takeCluster([]), { args: [] });
});

test('what kubectl answers by itself needs no cluster', (t) => {
  for (const line of [
    '',
    '--help',
    'get --help',
    'exec -h',
    'version --client',
    'completion bash',
    'config view',
  ]) {
    t.false(needsCluster(line.split(' ').filter(Boolean)), line);
  }
  for (const line of ['get pods', '-n kube-system get pods', 'version', 'exec pod -- ls']) {
    t.true(needsCluster(line.split(' ')), line);
  }
});
