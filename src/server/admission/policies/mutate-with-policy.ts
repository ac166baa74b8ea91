import type { MutatingAdmissionPolicy } from '../../../api/admissionregistration/v1.gen.ts';
import { listOf, structType } from '../../../machinery/cel/cel-type.ts';
import { CelEvaluationError } from '../../../machinery/cel/evaluation-error.ts';
import { RUNTIME_COST_BUDGET } from '../../../machinery/cel/program.ts';
import type { Bindings } from '../../../machinery/cel/evaluate.ts';
import type { CelValue } from '../../../machinery/cel/value.ts';
import { valueToJson } from '../../../machinery/cel/value-to-json.ts';
import { mergeTyped } from '../../../machinery/managed-fields/merge-typed.ts';
import { JsonPatchError, tryJsonPatch } from '../../../machinery/patch/json-patch.ts';
import type { Structure } from '../../../machinery/structure/structure.ts';
import { StatusError } from '../../../machinery/status-error.ts';
import { compileParts, type CompiledParts } from './compile-policy.ts';
import {
  type Budget,
  evaluateExpression,
  OutOfBudgetError,
  type PolicyExpression,
} from './evaluate-expressions.ts';
import type { NewPace } from './expression-pace.ts';
import { withVariables } from './policy-variables.ts';

/** One mutation whose expression is compiled. */
export interface CompiledMutation {
  readonly patchType: 'ApplyConfiguration' | 'JSONPatch';
  readonly expression: PolicyExpression;
}

/** A mutating policy whose expressions are compiled. */
export interface CompiledMutatingPolicy extends CompiledParts {
  readonly mutations: readonly CompiledMutation[];
}

/** Compiles everything a mutating policy evaluates. */
export function compileMutatingPolicy(
  { spec }: MutatingAdmissionPolicy,
  newPace: NewPace,
): CompiledMutatingPolicy {
  const parts = compileParts(spec, 'patches', newPace);
  return {
    ...parts,
    mutations: (spec.mutations ?? []).map(({ patchType, applyConfiguration, jsonPatch }) => {
      const isPatch = patchType === 'JSONPatch';
      const source = ((isPatch ? jsonPatch : applyConfiguration)?.expression ?? '').trim();
      const wanted = isPatch ? listOf(structType('JSONPatch')) : structType('Object');
      return { patchType, expression: parts.compile(source, [wanted]) };
    }),
  };
}

/** A mutation that cannot be made. The message is upstream's. */
export class MutationError extends Error {
  override readonly name = 'MutationError';
}

/** What a mutation is applied to. */
export interface MutationSubject {
  readonly document: Readonly<Record<string, unknown>>;
  readonly structure: Structure;
  readonly bindings: Map<string, CelValue>;
}

/** The document after one mutation. Throws {@link MutationError}. */
export async function mutatedDocument(
  policy: CompiledMutatingPolicy,
  { patchType, expression }: CompiledMutation,
  { document, structure, bindings }: MutationSubject,
): Promise<unknown> {
  const budget: Budget = { left: RUNTIME_COST_BUDGET };
  const value = await evaluated(expression, withVariables(bindings, policy.variables, budget), budget);
  const json = asJson(value);
  return patchType === 'JSONPatch'
    ? patchedDocument(document, json)
    : appliedDocument(document, json, structure);
}

async function evaluated(
  expression: PolicyExpression,
  bindings: Bindings,
  budget: Budget,
): Promise<CelValue> {
  try {
    const result = await evaluateExpression(expression, bindings, budget);
    if ('error' in result) throw new MutationError(result.error);
    return result.value;
  } catch (error) {
    if (error instanceof OutOfBudgetError) throw new MutationError(error.message);
    throw error;
  }
}

function asJson(value: CelValue): unknown {
  try {
    return valueToJson(value);
  } catch (error) {
    if (error instanceof CelEvaluationError) throw new MutationError(error.message);
    throw error;
  }
}

/** A `test` that fails leaves the object as it is. */
function patchedDocument(document: unknown, operations: unknown): unknown {
  try {
    return tryJsonPatch(document, operations);
  } catch (error) {
    if (error instanceof JsonPatchError) {
      if (error.testFailed) return document;
      throw new MutationError(`JSON Patch: ${error.message}`);
    }
    if (error instanceof StatusError) throw new MutationError(`JSON Patch: ${error.message}`);
    throw error;
  }
}

function appliedDocument(
  document: Readonly<Record<string, unknown>>,
  config: unknown,
  structure: Structure,
): unknown {
  const { apiVersion, kind } = document;
  const named = { ...(config as object), apiVersion, kind };
  checkNoAtomics(named, structure, '');
  return mergeTyped(document, named, structure);
}

/** Configurations may not touch what has one owner as a whole: the rest of it would be lost. */
function checkNoAtomics(value: unknown, structure: Structure | undefined, path: string): void {
  if (!structure || typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    if (structure.type !== 'list') return;
    if (structure.list === 'atomic' && value.length > 0) refuseAtomic(path);
    for (const item of value) checkNoAtomics(item, structure.items, `${path}[]`);
    return;
  }
  if (structure.type !== 'map') return;
  if (structure.atomic && Object.keys(value).length > 0) refuseAtomic(path);
  for (const [name, member] of Object.entries(value)) {
    checkNoAtomics(member, structure.member(name), `${path}.${name}`);
  }
}

function refuseAtomic(path: string): never {
  throw new MutationError(
    `error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${path}`,
  );
}
