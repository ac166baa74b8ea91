/**
 * How the values of a type merge and who can own which part of them: what structured merge and diff
 * (sigs.k8s.io/structured-merge-diff, `typed`) asks of a schema. Built-in kinds derive it from the schema table, custom resources
 * from the schema of their CustomResourceDefinition.
 */
export type Structure =
  /** A value without parts; without `of`, of any type (a quantity, an int-or-string). */
  | { readonly type: 'scalar'; readonly of?: 'string' | 'numeric' | 'boolean' }
  /** An object with fields of their own types, or a map of values of one type; `atomic` ones have one owner as a whole. */
  | {
      readonly type: 'map';
      readonly atomic: boolean;
      /** The type of a member; undefined for one that the type does not have. */
      member(name: string): Structure | undefined;
      /** Whether the type names this member: true of the fields of a message, false of the keys of a map. */
      declares(name: string): boolean;
    }
  | { readonly type: 'list'; readonly list: 'atomic'; readonly items: Structure }
  /** A list whose items are themselves their identity. */
  | { readonly type: 'list'; readonly list: 'set'; readonly items: Structure }
  /** A list of objects that `keys` identify; a missing key counts as its default. */
  | {
      readonly type: 'list';
      readonly list: 'map';
      readonly keys: readonly string[];
      readonly keyDefaults: Readonly<Record<string, unknown>>;
      readonly items: Structure;
    }
  /** Anything: objects inside are granular maps, lists are atomic (upstream's deduced type). */
  | { readonly type: 'untyped' };
