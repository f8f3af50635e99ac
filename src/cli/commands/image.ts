import { Option } from 'commander';
import type { Command } from 'commander';
import type { Cli, DefineCommand } from '../command.js';
import { addExamples } from '../help.js';
import type { BuildOptions } from './image.run.js';

const collect = (value: string, before: string[]): string[] => [...before, value];

export const defineImage: DefineCommand = (program, cli) => {
  const image = program
    .command('image')
    .description('Make container images without a registry, and load, pull and keep those of the node');
  addExamples(image, [
    [
      'u7s image build-from rootfs.tar.gz --name localhost/hello:1 --cmd /bin/sh --load',
      'of a root file system',
    ],
    ['u7s image build-from ./hello --name localhost/hello:1 --load', 'of a static program'],
    ['docker save hello | u7s image load -', "another engine's image"],
    ['u7s image pull registry.example/team/hello:1', 'as a pod would'],
    ['u7s image save localhost/hello:1 -o - | ssh other u7s image load -', 'to another node'],
    ['u7s image ls', 'what the node has'],
  ]);

  image
    .command('build-from')
    .description('Make an image of a root file system or of static programs')
    .argument('[rootfs]', 'tar archive (plain or gzipped, - for stdin), folder, or static program')
    .requiredOption('--name <reference>', 'name of the image, like localhost/hello:1')
    .option(
      '--file <src:dest>',
      'instead of a root file system: a file and its path; repeatable',
      collect,
      [],
    )
    .option('--entrypoint <word>', 'what a container runs; repeat it for arguments', collect, [])
    .option(
      '--cmd <word>',
      'what a container runs, or arguments that it may replace; repeatable',
      collect,
      [],
    )
    .option('--env <name=value>', 'environment variable; repeatable', collect, [])
    .option('--user <uid[:gid]>', 'the user it runs as (default: 0, which is root only within the node)')
    .option('--workdir <path>', 'where it starts (default: /)')
    .option('-o, --output <file>', 'write the archive here; - is stdout')
    .option('--load', 'load it into the running cluster')
    .action(async (rootfs: string | undefined, options: BuildOptions, self: Command) => {
      const run = await import('./image.run.js');
      await run.build(cli, self, rootfs, options);
    });

  image
    .command('load')
    .description(
      'Load archives of images (docker save or OCI layout, plain or gzipped) into the running cluster',
    )
    .argument('<file...>', 'archive, or - for stdin')
    .action(async (files: string[], _options: unknown, self: Command) => {
      const run = await import('./image.run.js');
      await run.load(cli, self, files);
    });

  image
    .command('ls')
    .description('List the images that the node has')
    .addOption(new Option('-o, --output <format>', 'output format').choices(['json']))
    .action(async ({ output }: { output?: 'json' }, self: Command) => {
      const run = await import('./image.run.js');
      await run.list(cli, self, output);
    });
  defineNodeVerbs(image, cli);
};

/** What is done with the images of the node. */
function defineNodeVerbs(image: Command, cli: Cli): void {
  image
    .command('pull')
    .description('Pull images as pods do, with the mirrors, certificates and logins of their registries')
    .argument('<image...>', 'as a pod names it')
    .action(async (images: string[], _options: unknown, self: Command) => {
      const run = await import('./image.run.js');
      await run.pull(cli, self, images);
    });

  image
    .command('save')
    .description('Write images to an archive that docker, containerd and u7s load')
    .argument('<image...>', 'as a pod names it')
    .requiredOption('-o, --output <file>', 'the archive, or - for stdout')
    .action(async (images: string[], { output }: { output: string }, self: Command) => {
      const run = await import('./image.run.js');
      await run.save(cli, self, images, output);
    });

  image
    .command('tag')
    .description('Give an image another name in addition')
    .argument('<image>', 'as a pod names it')
    .argument('<name>', 'the further name')
    .action(async (from: string, to: string, _options: unknown, self: Command) => {
      const run = await import('./image.run.js');
      await run.tag(cli, self, from, to);
    });

  image
    .command('rm')
    .description('Remove images from the node')
    .argument('<image...>', 'as a pod names it')
    .action(async (images: string[], _options: unknown, self: Command) => {
      const run = await import('./image.run.js');
      await run.remove(cli, self, images);
    });
}
