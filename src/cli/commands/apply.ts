import { Command, Option } from 'commander';
import { applyAll } from '../apply-manifests.ts';
import type { CliContext } from '../cli-context.ts';
import { CliError } from '../cli-error.ts';
import { addClusterOptions, type ClusterFlags } from '../cluster-options.ts';
import { collectFailures } from '../failures.ts';
import { filenameOption } from '../filename-option.ts';
import { loadManifests, type FieldValidation } from '../manifests.ts';
import { withSession } from '../session.ts';

interface ApplyFlags extends ClusterFlags {
  readonly filename: readonly string[];
  readonly recursive?: boolean;
  readonly dryRun?: 'none' | 'client' | 'server';
  readonly validate?: string | true;
}

const validations: Readonly<Record<string, FieldValidation>> = {
  strict: 'strict',
  true: 'strict',
  warn: 'warn',
  ignore: 'ignore',
  false: 'ignore',
};
const fieldValidation = { strict: 'Strict', warn: 'Warn', ignore: 'Ignore' } as const;

/** `kanoe apply`: makes the cluster hold what manifests say; mixes with `kubectl apply` on the same objects. */
export function applyCommand(context: CliContext): Command {
  const command = new Command('apply')
    .description('create or change objects as manifests say')
    .addOption(filenameOption('what to apply').makeOptionMandatory())
    .option('-R, --recursive', 'look into the folders of folders')
    .addOption(
      new Option('--dry-run <where>', 'change nothing: compare here, or let the server try')
        .choices(['none', 'client', 'server'])
        .default('none'),
    )
    .addOption(
      new Option('--validate [mode]', 'unknown and duplicate fields: refuse, warn of or ignore them')
        .choices(Object.keys(validations))
        .default('strict'),
    );
  return addClusterOptions(command).action(async (flags: ApplyFlags) => {
    const validation = validations[String(flags.validate ?? 'strict')] ?? 'strict';
    const manifests = await loadManifests(flags.filename, context, {
      recursive: flags.recursive === true,
      validation,
    });
    if (manifests.length === 0) throw new CliError('no objects passed to apply');
    const failures = collectFailures(context);
    await withSession(context, flags, (session) =>
      applyAll(session.client, manifests, {
        namespace: session.namespace,
        fieldValidation: fieldValidation[validation],
        signal: context.signal,
        ...(flags.dryRun && flags.dryRun !== 'none' && { dryRun: flags.dryRun }),
        report: {
          applied: (line) => void context.stdout.write(`${line}\n`),
          failed: (error) => failures.add(error),
        },
      }),
    );
    failures.throwIfAny();
  });
}
