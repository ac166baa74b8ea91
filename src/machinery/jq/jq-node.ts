/** A binary operator; the arithmetic and update ones see every pair of their operands' outputs. */
export type JqOperator =
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '=='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | 'and'
  | 'or'
  | '//';

export type JqPattern =
  | { readonly type: 'name'; readonly name: string }
  | { readonly type: 'array'; readonly items: readonly JqPattern[] }
  | {
      readonly type: 'object';
      readonly entries: readonly { readonly key: JqNode; readonly pattern: JqPattern }[];
    };

/** A parsed jq filter. */
export type JqNode =
  | { readonly type: 'identity' }
  | { readonly type: 'recurse' }
  | { readonly type: 'literal'; readonly value: unknown }
  | {
      readonly type: 'text';
      readonly parts: readonly (string | JqNode)[];
      readonly format: string | undefined;
    }
  | { readonly type: 'format'; readonly name: string }
  | { readonly type: 'index'; readonly of: JqNode; readonly key: JqNode }
  | {
      readonly type: 'slice';
      readonly of: JqNode;
      readonly from: JqNode | undefined;
      readonly to: JqNode | undefined;
    }
  | { readonly type: 'iterate'; readonly of: JqNode }
  | { readonly type: 'try'; readonly body: JqNode; readonly handler: JqNode | undefined }
  | { readonly type: 'pipe'; readonly left: JqNode; readonly right: JqNode }
  | { readonly type: 'comma'; readonly left: JqNode; readonly right: JqNode }
  | { readonly type: 'negate'; readonly of: JqNode }
  | { readonly type: 'binary'; readonly operator: JqOperator; readonly left: JqNode; readonly right: JqNode }
  | { readonly type: 'update'; readonly operator: string; readonly left: JqNode; readonly right: JqNode }
  | { readonly type: 'array'; readonly body: JqNode | undefined }
  | { readonly type: 'object'; readonly entries: readonly { readonly key: JqNode; readonly value: JqNode }[] }
  | {
      readonly type: 'if';
      readonly condition: JqNode;
      readonly yes: JqNode;
      readonly otherwise: JqNode | undefined;
    }
  | {
      readonly type: 'reduce';
      readonly source: JqNode;
      readonly pattern: JqPattern;
      readonly start: JqNode;
      readonly update: JqNode;
    }
  | {
      readonly type: 'foreach';
      readonly source: JqNode;
      readonly pattern: JqPattern;
      readonly start: JqNode;
      readonly update: JqNode;
      readonly extract: JqNode | undefined;
    }
  | { readonly type: 'bind'; readonly source: JqNode; readonly pattern: JqPattern; readonly body: JqNode }
  | { readonly type: 'variable'; readonly name: string }
  | { readonly type: 'call'; readonly name: string; readonly args: readonly JqNode[] }
  | {
      readonly type: 'define';
      readonly name: string;
      readonly parameters: readonly string[];
      readonly body: JqNode;
      readonly rest: JqNode;
    }
  | { readonly type: 'label'; readonly name: string; readonly body: JqNode }
  | { readonly type: 'break'; readonly name: string };
