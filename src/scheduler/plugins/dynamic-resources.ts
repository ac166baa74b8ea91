import type { PluginFactory } from '../framework.ts';
import { unschedulable } from '../status.ts';

const name = 'DynamicResources';
const nothingToFree = unschedulable('no new claims to deallocate');

/** Finds devices for pods that claim some. */
export const dynamicResources: PluginFactory = {
  name,
  create: () => ({
    name,
    postFilter: () => ({ status: nothingToFree }),
    eventsToRegister: () => [],
  }),
};
