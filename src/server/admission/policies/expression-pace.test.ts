import { expect, it } from 'vitest';
import { FakeClock } from '../../../base/fake-clock.ts';
import { expressionPaces, type ExpressionPace } from './expression-pace.ts';

const costly = 100_000;

function arranged(): {
  readonly clock: FakeClock;
  readonly state: { busy: boolean };
  readonly pace: ExpressionPace;
  /** Whether the evaluation began at once. */
  evaluate(ms: number, cost: number): Promise<boolean>;
} {
  const clock = new FakeClock();
  const state = { busy: true };
  const pace = expressionPaces({ clock, isBusy: () => state.busy })();
  return {
    clock,
    state,
    pace,
    async evaluate(ms, cost) {
      const turn = pace.turn();
      if (turn) await turn;
      await clock.advance(ms);
      pace.ended(cost);
      return turn === undefined;
    },
  };
}

it('lets cheap expressions pass at once, however long the machine took', async () => {
  const { evaluate } = arranged();
  for (let round = 0; round < 3; round += 1) expect(await evaluate(50, 1_000)).toBe(true);
});

it('lets costly ones pass at once while nobody else asks for anything', async () => {
  const { evaluate, state } = arranged();
  state.busy = false;
  for (let round = 0; round < 3; round += 1) expect(await evaluate(50, costly)).toBe(true);
});

it('waits in proportion to how long the one before took', async () => {
  const { clock, pace, evaluate } = arranged();
  await evaluate(20, costly);
  let on = false;
  const turn = pace.turn()?.then(() => (on = true));
  await clock.advance(2_999);
  expect(on).toBe(false);
  await clock.advance(1);
  await turn;
  expect(on).toBe(true);
});

it('goes on when the others have gone', async () => {
  const { clock, state, pace, evaluate } = arranged();
  await evaluate(20, costly);
  const turn = pace.turn();
  state.busy = false;
  await clock.advance(3_000);
  await turn;
  expect(pace.turn()).toBeUndefined();
});

it('refuses who asks while too many wait', async () => {
  const { clock, pace, evaluate } = arranged();
  await evaluate(20, costly);
  const waiting = Array.from({ length: 16 }, async () => pace.turn());
  await expect(pace.turn()).rejects.toMatchObject({ status: { code: 429 } });
  await clock.advance(20_000);
  await Promise.all(waiting);
});
