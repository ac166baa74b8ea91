import { describe, expect, it } from 'vitest';
import type { Controller } from './controller.ts';
import { selectControllers, UnknownControllerError } from './select-controllers.ts';

const controller = (name: string, ...aliases: string[]): Controller => ({
  name,
  aliases,
  start: () => ({ stop: () => Promise.resolve() }),
});
const available = [
  controller('deployment-controller', 'deployment'),
  controller('job-controller', 'job'),
  controller('scheduler'),
];

describe('selectControllers', () => {
  it.each([
    ['*', ['deployment-controller', 'job-controller', 'scheduler']],
    ['*,-deployment', ['job-controller', 'scheduler']],
    ['-deployment-controller,*', ['job-controller', 'scheduler']],
    ['job', ['job-controller']],
    ['scheduler, deployment', ['deployment-controller', 'scheduler']],
    ['*,-job,job', ['deployment-controller', 'scheduler']],
    ['', []],
    ['-*', []],
    ['-*,job', ['job-controller']],
  ])('reads %j', (list, names) => {
    expect(selectControllers(list, available).map(({ name }) => name)).toEqual(names);
  });

  it('refuses an unknown name and lists the known ones', () => {
    expect(() => selectControllers('*,-nonsense', available)).toThrow(
      new UnknownControllerError(
        '"nonsense" is not in the list of known controllers; known are *, deployment-controller, job-controller, scheduler (a leading "-" leaves one out)',
      ),
    );
  });
});
