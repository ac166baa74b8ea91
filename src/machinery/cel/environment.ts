import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  NULL,
  STRING,
  TIMESTAMP,
  UINT,
  listOf,
  mapOf,
  opaqueType,
} from './cel-type.ts';
import type { CelType, TypeProvider } from './cel-type.ts';
import type { CheckEnvironment } from './check.ts';
import { functionTable } from './function-table.ts';
import type { FunctionLibrary, FunctionTable } from './function-table.ts';
import { addressFunctions } from './library/addresses.ts';
import { authorizerFunctions } from './library/authorizer.ts';
import { conversions } from './library/conversions.ts';
import { formatFunctions } from './library/formats.ts';
import { listFunctions } from './library/lists.ts';
import { operators } from './library/operators.ts';
import { optionalFunctions } from './library/optionals.ts';
import { quantityFunctions } from './library/quantities.ts';
import { regexFunctions } from './library/regex.ts';
import { semverFunctions } from './library/semver.ts';
import { setFunctions } from './library/sets.ts';
import { stringFunctions } from './library/strings.ts';
import { timeFunctions } from './library/time.ts';
import { urlFunctions } from './library/urls.ts';

/** Everything that Kubernetes 1.36 lets every expression use; made once and shared by its environments. */
export interface CelBase {
  readonly functions: FunctionTable;
  readonly typeNames: ReadonlyMap<string, CelType>;
}

/** The functions of Kubernetes' base environment plus `extra` ones. Costs a few milliseconds: make it on first use. */
export function celBase(extra: readonly FunctionLibrary[] = []): CelBase {
  return { functions: functionTable([...standardLibraries(), ...extra]), typeNames: typeNames() };
}

function standardLibraries(): FunctionLibrary[] {
  return [
    operators(),
    conversions(),
    stringFunctions(),
    timeFunctions(),
    optionalFunctions(),
    regexFunctions(),
    listFunctions(),
    setFunctions(),
    urlFunctions(),
    quantityFunctions(),
    addressFunctions(),
    formatFunctions(),
    semverFunctions(),
    authorizerFunctions(),
  ];
}

const NO_TYPES: TypeProvider = { hasType: () => false, fieldType: () => undefined };

/** What expressions of one place see: the base and that place's variables and types. */
export function celEnvironment(
  base: CelBase,
  variables: Readonly<Record<string, CelType>>,
  types: TypeProvider = NO_TYPES,
): CheckEnvironment {
  return { ...base, variables: new Map(Object.entries(variables)), types };
}

function typeNames(): ReadonlyMap<string, CelType> {
  return new Map<string, CelType>([
    ['bool', BOOL],
    ['int', INT],
    ['uint', UINT],
    ['double', DOUBLE],
    ['string', STRING],
    ['bytes', BYTES],
    ['null_type', NULL],
    ['dyn', DYN],
    ['list', listOf(DYN)],
    ['map', mapOf(DYN, DYN)],
    ['type', { kind: 'type' }],
    ['optional_type', opaqueType('optional_type', [DYN])],
    ['google.protobuf.Timestamp', TIMESTAMP],
    ['google.protobuf.Duration', DURATION],
  ]);
}
