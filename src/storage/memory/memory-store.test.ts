import { describeStore } from '../store.contract.ts';
import { createMemoryStore } from './memory-store.ts';

describeStore({
  name: 'memory',
  open: async (clock) => createMemoryStore({ clock }),
  cleanUp: async () => {},
});
