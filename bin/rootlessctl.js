#!/usr/bin/env node
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`error: Node.js ${process.versions.node} is too old\n  fix: install Node.js 20.19 or newer`);
  process.exit(1);
}
const { main } = await import('../dist/cli/rootlessctl.js');
await main();
