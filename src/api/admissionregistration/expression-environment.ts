import { type FieldError, invalid } from '../../machinery/field-error.ts';
import {
  type CelType,
  type TypeProvider,
  DYN,
  formatType,
  opaqueType,
  structType,
} from '../../machinery/cel/cel-type.ts';
import { CelCompileError } from '../../machinery/cel/compile-error.ts';
import type { CheckEnvironment } from '../../machinery/cel/check.ts';
import { type CelBase, celBase, celEnvironment } from '../../machinery/cel/environment.ts';
import { AUTHORIZER_TYPE, RESOURCE_CHECK_TYPE } from '../../machinery/cel/library/authorizer.ts';
import { jsonPatchFunctions } from '../../machinery/cel/library/json-patch.ts';
import { compile, type Program } from '../../machinery/cel/program.ts';
import { expressionTypes, variablesType } from './expression-types.ts';

/** What an expression of admission may name beside `object`, `oldObject`, `request` and `namespaceObject`. */
export interface Declarations {
  readonly params: boolean;
  readonly authorizer: boolean;
  /** Types that patches are made of. */
  readonly patches: boolean;
  /** A policy's variables so far, with their types; absent where there are none. */
  readonly variables?: ReadonlyMap<string, CelType>;
  /** Types of `object`, `oldObject` and `params` where they are known, and what those types are made of. */
  readonly typed?: {
    readonly variables: Readonly<Record<string, CelType>>;
    readonly types: TypeProvider;
  };
}

/** Made on first use: it takes a few milliseconds. */
const shared: { base?: CelBase } = {};

/** What expressions of policies and match conditions see, as upstream declares it. */
export function expressionEnvironment(declarations: Declarations): CheckEnvironment {
  const { params, authorizer, patches, variables, typed } = declarations;
  shared.base ??= celBase([jsonPatchFunctions()]);
  return celEnvironment(
    shared.base,
    {
      object: DYN,
      oldObject: DYN,
      request: structType('kubernetes.AdmissionRequest'),
      namespaceObject: structType('kubernetes.Namespace'),
      ...(params ? { params: DYN } : {}),
      ...(authorizer
        ? {
            authorizer: opaqueType(AUTHORIZER_TYPE),
            'authorizer.requestResource': opaqueType(RESOURCE_CHECK_TYPE),
          }
        : {}),
      ...(variables ? { variables: structType(variablesType) } : {}),
      ...typed?.variables,
    },
    withTypes(expressionTypes({ variables: variables ?? new Map(), patches }), typed?.types),
  );
}

function withTypes(own: TypeProvider, further: TypeProvider | undefined): TypeProvider {
  if (!further) return own;
  return {
    hasType: (name) => own.hasType(name),
    fieldType: (name, field) => own.fieldType(name, field) ?? further.fieldType(name, field),
  };
}

/** A compiled expression, or what is wrong with it in the words of a field error. */
export type Compiled = { readonly program: Program } | { readonly error: string };

/** Compiles an expression whose result must be of one of these types; any type will do when there are none. */
export function compileExpression(
  source: string,
  environment: CheckEnvironment,
  results: readonly CelType[],
): Compiled {
  try {
    const program = compile(source, environment);
    const found = formatType(program.type);
    const wanted = results.map(formatType);
    if (wanted.length === 0 || wanted.includes(found)) return { program };
    return {
      error:
        wanted.length === 1
          ? `must evaluate to ${wanted[0] ?? ''} but got ${found}`
          : `must evaluate to one of [${wanted.join(' ')}]`,
    };
  } catch (error) {
    if (error instanceof CelCompileError) return { error: `compilation failed: ${error.message}` };
    throw error;
  }
}

/** What did not compile, as field errors. */
export function expressionErrors(field: string, source: string, compiled: Compiled): FieldError[] {
  return 'error' in compiled ? [invalid(field, source, compiled.error)] : [];
}
