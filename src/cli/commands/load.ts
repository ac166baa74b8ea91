import { Command } from 'commander';
import { resolve } from 'node:path';
import { ClusterError } from '../../cluster/cluster-error.ts';
import { readRecord } from '../../cluster/cluster-record.ts';
import { openImageStore } from '../../cluster/images.ts';
import { loadArchive } from '../../oci/image-service.ts';
import type { CliContext } from '../cli-context.ts';
import { nameOption } from '../name-option.ts';
import { createProgress } from '../progress.ts';

/** `kanoe load`: puts images of archives into a cluster's store, whether the cluster runs or not. */
export function loadCommand(context: CliContext): Command {
  return new Command('load')
    .description('load images from files: OCI layouts (folder or tar) and docker-archives')
    .argument('<file...>', 'image archives')
    .addOption(nameOption())
    .action(async (files: string[], { name }: { name: string }) => {
      const record = await readRecord(context.home, name);
      if (!record)
        throw new ClusterError(
          'NOT_FOUND',
          `there is no cluster named ${name}; \`kanoe up --name ${name} --load FILE\` makes it and loads the image`,
        );
      const store = openImageStore(record.dataDirectory, context.program.unpack);
      const progress = createProgress(context);
      for (const file of files) {
        progress.step(`loading ${file} …`);
        for (const { name: image } of await loadArchive(store, resolve(context.cwd, file))) {
          progress.done();
          context.stdout.write(`loaded ${image}\n`);
        }
      }
    });
}
