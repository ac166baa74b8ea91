import { templateFunction, type FunctionMap } from '../template-function.ts';

export const listFunctions: FunctionMap = {
  list: templateFunction([], (...values: unknown[]) => values, 'any'),
};
