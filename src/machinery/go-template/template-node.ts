import { goQuote } from '../go-quote.ts';

interface Placed {
  /** Offset in the template's text. */
  readonly pos: number;
}

/** An operand of a command. */
export type Operand =
  | (Placed & { readonly type: 'dot' })
  | (Placed & { readonly type: 'nil' })
  | (Placed & { readonly type: 'bool'; readonly value: boolean })
  | (Placed & { readonly type: 'number'; readonly value: number | bigint; readonly text: string })
  | (Placed & { readonly type: 'string'; readonly value: string; readonly text: string })
  | (Placed & { readonly type: 'field'; readonly path: readonly string[] })
  | (Placed & { readonly type: 'variable'; readonly name: string; readonly path: readonly string[] })
  | (Placed & { readonly type: 'identifier'; readonly name: string })
  | (Placed & { readonly type: 'chain'; readonly of: Operand; readonly path: readonly string[] })
  | Pipeline;

/** One call, or one operand alone. */
export interface Command extends Placed {
  readonly operands: readonly Operand[];
}

/** Commands, each of which gets the value of the one before as its last argument. */
export interface Pipeline extends Placed {
  readonly type: 'pipeline';
  readonly declares: readonly string[];
  /** `=` to a variable that exists, not `:=`. */
  readonly assigns: boolean;
  readonly commands: readonly Command[];
}

/** A part of a template's body. */
export type TemplateNode =
  | (Placed & { readonly type: 'text'; readonly text: string })
  | (Placed & { readonly type: 'action'; readonly pipeline: Pipeline })
  | Branch
  | (Placed & { readonly type: 'template'; readonly name: string; readonly pipeline: Pipeline | undefined })
  | (Placed & { readonly type: 'break' })
  | (Placed & { readonly type: 'continue' });

export interface Branch extends Placed {
  readonly type: 'if' | 'range' | 'with';
  readonly pipeline: Pipeline;
  readonly body: readonly TemplateNode[];
  readonly otherwise: readonly TemplateNode[] | undefined;
}

/** One named body and where it was written, for the positions in errors. */
export interface TemplateBody {
  readonly name: string;
  /** The file, or whatever the text was parsed as. */
  readonly parseName: string;
  readonly source: string;
  readonly nodes: readonly TemplateNode[];
}

/** A node as its source, as Go prints it in errors. */
export function printNode(node: Operand | Command | TemplateNode): string {
  if (!('type' in node)) return node.operands.map(printOperand).join(' ');
  switch (node.type) {
    case 'text':
      return goQuote(node.text);
    case 'action':
      return `{{${printNode(node.pipeline)}}}`;
    case 'if':
    case 'range':
    case 'with':
      return `{{${node.type} ${printNode(node.pipeline)}}}`;
    case 'template':
      return `{{template ${goQuote(node.name)}${node.pipeline ? ` ${printNode(node.pipeline)}` : ''}}}`;
    case 'break':
    case 'continue':
      return `{{${node.type}}}`;
    case 'pipeline': {
      const variables =
        node.declares.length > 0 ? `${node.declares.join(', ')} ${node.assigns ? '=' : ':='} ` : '';
      return variables + node.commands.map(printNode).join(' | ');
    }
    case 'dot':
      return '.';
    case 'nil':
      return 'nil';
    case 'bool':
      return String(node.value);
    case 'number':
    case 'string':
      return node.text;
    case 'field':
      return node.path.map((name) => `.${name}`).join('');
    case 'variable':
      return [node.name, ...node.path].join('.');
    case 'identifier':
      return node.name;
    default:
      return `${printOperand(node.of)}${node.path.map((name) => `.${name}`).join('')}`;
  }
}

function printOperand(operand: Operand): string {
  return operand.type === 'pipeline' ? `(${printNode(operand)})` : printNode(operand);
}
