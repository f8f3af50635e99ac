/** What the launcher consists of below its root, besides its npm packages; installed by npm it lacks some of them. */
export const launcherParts = [
  ...['bin/u7s.js', 'bin/rootlessctl.js', 'bin/bootstrap.sh', 'bin/u7s'],
  ...['dist', 'config', 'build', 'patches', 'docs', 'package.json', 'package-lock.json'],
  ...['run.sh', 'kubectl.sh', 'dockercli.sh', 'rootlessctl.sh', 'cleanup.sh', 'install.sh', 'Makefile'],
  ...['README.md', 'CHANGELOG.md', 'LICENSE'],
];
