import { WireWriter, wireType } from '../../machinery/protobuf/wire-writer.ts';
import type { JsonSchema } from './definition.ts';
import type { OpenapiV2 } from './openapi-v2.ts';

type Json = Readonly<Record<string, unknown>>;

/** The document as gnostic's `openapi.v2.Document` in protobuf, which kubectl up to 1.26 asks for, piece by piece. */
export function* openapiV2Protobuf(document: OpenapiV2): Generator<Buffer> {
  yield written((out) => {
    out.string(1, '2.0');
    out.message(2, () => {
      out.string(1, document.info.title);
      out.string(2, document.info.version);
    });
  });
  yield* namedMessage(8, 2, document.paths, writePathItem);
  yield* namedMessage(9, 1, document.definitions, writeSchema);
  yield written((out) => {
    for (const requirement of document.security) {
      out.message(12, () => {
        writeNamed(out, 1, requirement, () => {});
      });
    }
    out.message(13, () => {
      writeNamed(out, 1, document.securityDefinitions, (definition) => {
        out.message(2, () => {
          writeStrings(out, definition, { type: 1, name: 2, in: 3, description: 4 });
        });
      });
    });
  });
}

function written(write: (out: WireWriter) => void): Buffer {
  const out = new WireWriter();
  write(out);
  return out.finish();
}

const nothing = Buffer.alloc(0);

/** A message of nothing but `repeated Named…`; its length comes before it, so that its members are made first. */
function* namedMessage(
  number: number,
  each: number,
  members: OpenapiV2['paths'],
  write: (out: WireWriter, value: Json) => void,
): Generator<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for (const member of members) {
    yield nothing;
    if (!member) continue;
    const [name, value] = member;
    const piece = written((out) => writeNamed(out, each, { [name]: value }, (one) => write(out, one)));
    pieces.push(piece);
    length += piece.length;
  }
  yield written((out) => {
    out.tag(number, wireType.bytes);
    out.varint(length);
  });
  yield* pieces;
}

/** `repeated Named… { string name = 1; … value = 2; }`. */
function writeNamed(out: WireWriter, number: number, map: Json, write: (value: Json) => void): void {
  for (const [name, value] of Object.entries(map)) {
    out.message(number, () => {
      out.string(1, name);
      out.message(2, () => {
        write(value as Json);
      });
    });
  }
}

function writeStrings(out: WireWriter, from: Json, numbers: Readonly<Record<string, number>>): void {
  for (const [name, number] of Object.entries(numbers)) {
    const value = from[name];
    if (typeof value === 'string') out.string(number, value);
    else if (Array.isArray(value)) for (const item of value) out.string(number, String(item));
  }
}

/** `x-…` properties, each as YAML (of which JSON is a part). */
function writeExtensions(out: WireWriter, number: number, from: Json): void {
  for (const [name, value] of Object.entries(from)) {
    if (!name.startsWith('x-')) continue;
    out.message(number, () => {
      out.string(1, name);
      out.message(2, () => {
        out.string(2, `${JSON.stringify(value)}\n`);
      });
    });
  }
}

const methodNumbers: Readonly<Record<string, number>> = { get: 2, put: 3, post: 4, delete: 5, patch: 8 };

function writePathItem(out: WireWriter, item: Json): void {
  for (const [method, number] of Object.entries(methodNumbers)) {
    const operation = item[method];
    if (operation !== undefined) {
      out.message(number, () => {
        writeOperation(out, operation as Json);
      });
    }
  }
  writeParameters(out, 9, item['parameters']);
}

function writeOperation(out: WireWriter, operation: Json): void {
  writeStrings(out, operation, { tags: 1, operationId: 5, produces: 6, consumes: 7 });
  writeParameters(out, 8, operation['parameters']);
  out.message(9, () => {
    writeNamed(out, 1, operation['responses'] as Json, (response) => {
      out.message(1, () => {
        writeResponse(out, response);
      });
    });
  });
  writeStrings(out, operation, { schemes: 10 });
  writeExtensions(out, 13, operation);
}

function writeResponse(out: WireWriter, response: Json): void {
  writeStrings(out, response, { description: 1 });
  const schema = response['schema'];
  if (schema === undefined) return;
  out.message(2, () => {
    out.message(1, () => {
      writeSchema(out, schema as JsonSchema);
    });
  });
}

/** `ParametersItem { Parameter { BodyParameter | NonBodyParameter { query | path } } }`. */
function writeParameters(out: WireWriter, number: number, parameters: unknown): void {
  for (const parameter of (parameters ?? []) as readonly Json[]) {
    out.message(number, () => {
      out.message(1, () => {
        if (parameter['in'] === 'body') {
          out.message(1, () => {
            writeBodyParameter(out, parameter);
          });
        } else {
          out.message(2, () => {
            writeNonBodyParameter(out, parameter);
          });
        }
      });
    });
  }
}

function writeBodyParameter(out: WireWriter, parameter: Json): void {
  writeStrings(out, parameter, { name: 2, in: 3 });
  if (parameter['required'] === true) out.bool(4, true);
  out.message(5, () => {
    writeSchema(out, parameter['schema'] as JsonSchema);
  });
}

function writeNonBodyParameter(out: WireWriter, parameter: Json): void {
  const isPath = parameter['in'] === 'path';
  out.message(isPath ? 4 : 3, () => {
    if (parameter['required'] === true) out.bool(1, true);
    writeStrings(out, parameter, { in: 2, name: 4, type: isPath ? 5 : 6 });
    out.bool(isPath ? 19 : 20, true);
  });
}

function writeSchema(out: WireWriter, schema: Json): void {
  writeStrings(out, schema, { $ref: 1, format: 2, description: 4, required: 19 });
  const values = schema['additionalProperties'];
  if (values !== undefined) {
    out.message(21, () => {
      out.message(1, () => {
        writeSchema(out, values as Json);
      });
    });
  }
  if (typeof schema['type'] === 'string') {
    out.message(22, () => {
      writeStrings(out, schema, { type: 1 });
    });
  }
  const items = schema['items'];
  if (items !== undefined) {
    out.message(23, () => {
      out.message(1, () => {
        writeSchema(out, items as Json);
      });
    });
  }
  const properties = schema['properties'];
  if (properties !== undefined) {
    out.message(25, () => {
      writeNamed(out, 1, properties as Json, (property) => writeSchema(out, property));
    });
  }
  writeExtensions(out, 31, schema);
}
