import { readFile } from 'node:fs/promises';
import { YamlError } from '../machinery/yaml/yaml-error.ts';
import type { Controller } from '../reconcile/controller.ts';
import type { SchedulerConfiguration } from '../scheduler/config/read-scheduler-configuration.ts';
import { createScheduler, defaultSchedulerOptions, scheduler } from '../scheduler/scheduler.ts';
import { ClusterError } from './cluster-error.ts';
import type { UpOptions } from './plan-cluster.ts';

/** The scheduler as a person configured it. Throws `INVALID_OPTION` when the file cannot be used. */
export async function configuredScheduler({
  schedulerConfig,
  schedulerSeed: seed,
}: Pick<UpOptions, 'schedulerConfig' | 'schedulerSeed'>): Promise<Controller> {
  if (schedulerConfig === undefined && seed === undefined) return scheduler;
  const configuration =
    schedulerConfig === undefined
      ? undefined
      : await readSchedulerFile(schedulerConfig, '--scheduler-config');
  if (configuration?.kubeconfig)
    throw new ClusterError(
      'INVALID_OPTION',
      `--scheduler-config ${schedulerConfig}: clientConnection.kubeconfig: remove it; the scheduler of this cluster is meant`,
    );
  const options = configuration?.scheduler ?? defaultSchedulerOptions();
  return createScheduler(() => ({ ...options, ...(seed !== undefined && { seed }) }));
}

/** Reads a `KubeSchedulerConfiguration`; `flag` is named in errors. */
export async function readSchedulerFile(file: string, flag: string): Promise<SchedulerConfiguration> {
  const unusable = (error: Error): ClusterError =>
    new ClusterError('INVALID_OPTION', `${flag} ${file}: ${error.message}`, { cause: error });
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw unusable(error);
  });
  const { readSchedulerConfiguration, SchedulerConfigurationError } =
    await import('../scheduler/config/read-scheduler-configuration.ts');
  try {
    return readSchedulerConfiguration(text);
  } catch (error) {
    if (error instanceof SchedulerConfigurationError || error instanceof YamlError) throw unusable(error);
    throw error;
  }
}
