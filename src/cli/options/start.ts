import { Option } from 'commander';
import { artifactPath, port } from './values.js';

/** What `up` and `join` take alike, each made anew for the command it is added to. */
export const startOptions = {
  artifacts: (): Option =>
    new Option('--artifacts <way>', 'where binaries come from').choices([
      'auto',
      'download',
      'build',
      'host',
    ]),
  artifact: (): Option =>
    new Option(
      '--artifact <name=path>',
      'use this program, or folder of programs, as that artifact; may be repeated',
    ).argParser(artifactPath),
  nodeName: (): Option => new Option('--node-name <name>', 'name of the node (default: u7s-<hostname>)'),
  kubeletPort: (): Option =>
    new Option(
      '--kubelet-port <port>',
      'port that the kubelet is published on (default: 10250, or the next)',
    ).argParser(port),
};
