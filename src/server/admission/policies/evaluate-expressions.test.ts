import { expect, it } from 'vitest';
import type { ValidatingAdmissionPolicySpec } from '../../../api/admissionregistration/v1.gen.ts';
import { viewJson } from '../../../machinery/cel/json-view.ts';
import { RUNTIME_COST_BUDGET } from '../../../machinery/cel/program.ts';
import { systemClock } from '../../../base/clock.ts';
import { BOOL } from '../../../machinery/cel/cel-type.ts';
import { compileParts } from './compile-policy.ts';
import { evaluateExpression, type Budget, type Result } from './evaluate-expressions.ts';
import { expressionPaces } from './expression-pace.ts';
import { withVariables } from './policy-variables.ts';
import type { RemoteExpression, RemoteValues } from './remote-expression.ts';
import { expressionEvaluator } from './serve-expressions.ts';
import { compileValidatingPolicy, validateWithPolicy } from './validate-with-policy.ts';

const quadratic = "object.all(a, object.all(b, a != b + 'x'))";
const variables = [
  { name: 'heavy', expression: quadratic },
  { name: 'mine', expression: "authorizer.path('/x').check('get').allowed()" },
];

const large = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`k${at}`, 'v']));

/** Evaluates an expression as a busy server would, and says what it sent to another thread. */
async function evaluated(
  source: string,
  isBusy: boolean = true,
  spec: Pick<ValidatingAdmissionPolicySpec, 'variables'> = { variables: variables.slice(0, 1) },
): Promise<{ readonly result: Result; readonly spent: number; readonly sent: readonly RemoteExpression[] }> {
  const sent: RemoteExpression[] = [];
  const serve = expressionEvaluator(() => undefined);
  const elsewhere = (expression: RemoteExpression, values: RemoteValues): ReturnType<typeof serve> => {
    sent.push(expression);
    return serve({ expressionId: sent.length, expression, values: structuredClone(values) });
  };
  const parts = compileParts(
    spec,
    'none',
    expressionPaces({ clock: systemClock, isBusy: () => isBusy, elsewhere }),
  );
  const budget: Budget = { left: RUNTIME_COST_BUDGET };
  const bindings = withVariables(new Map([['object', viewJson(large)]]), parts.variables, budget);
  const result = await evaluateExpression(parts.compile(source, [BOOL]), bindings, budget);
  return { result, spent: RUNTIME_COST_BUDGET - budget.left, sent };
}

it('evaluates here what takes short', async () => {
  expect(await evaluated('object.size() == 100')).toMatchObject({ result: { value: true }, sent: [] });
});

it('evaluates elsewhere what takes long while others are busy, with the same result and cost', async () => {
  const here = await evaluated(quadratic, false);
  const there = await evaluated(quadratic);
  expect(here.sent).toEqual([]);
  expect(there.sent).toEqual([{ source: quadratic, params: false, variables: [] }]);
  expect([there.result, there.spent]).toEqual([here.result, here.spent]);
});

it('takes the variables along, and charges each once', async () => {
  const source = 'variables.heavy && variables.heavy';
  const here = await evaluated(source, false);
  const there = await evaluated(source);
  expect(there.sent).toMatchObject([{ variables: variables.slice(0, 1) }]);
  expect([there.result, there.spent]).toEqual([here.result, here.spent]);
});

it('gives the words of an error', async () => {
  const source = `${quadratic} && object.absent == 'x'`;
  const there = await evaluated(source);
  expect(there.sent).toHaveLength(1);
  expect(there.result).toEqual({ error: `expression '${source}' resulted in error: no such key: absent` });
});

it('evaluates here what may ask the authorizer', async () => {
  expect(await evaluated(`variables.heavy`, true, { variables })).toMatchObject({
    result: { value: true },
    sent: [],
  });
});

it('evaluates elsewhere what only annotations of a policy need', async () => {
  const sent: RemoteExpression[] = [];
  const serve = expressionEvaluator(() => undefined);
  const newPace = expressionPaces({
    clock: systemClock,
    isBusy: () => true,
    elsewhere(expression, values) {
      sent.push(expression);
      return serve({ expressionId: sent.length, expression, values });
    },
  });
  const spec = {
    variables: variables.slice(0, 1),
    validations: [{ expression: 'object.size() == 100' }],
    auditAnnotations: [{ key: 'a', valueExpression: "variables.heavy ? 'yes' : 'no'" }],
  };
  const about = { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicy' } as const;
  const policy = compileValidatingPolicy({ ...about, metadata: { name: 'p' }, spec }, newPace);
  const verdict = await validateWithPolicy(policy, undefined, new Map([['object', viewJson(large)]]));
  expect(verdict).toMatchObject({ denials: [], annotations: [{ key: 'a', value: 'yes' }] });
  expect(sent.map(({ source }) => source)).toEqual(["variables.heavy ? 'yes' : 'no'"]);
});
