import { JsonSyntaxError } from '../json/json-error.ts';
import { TextReader } from '../json/text-reader.ts';
import { DecodeError } from './decode-error.ts';

const structType =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

/**
 * What a JSON body says it is; an absent field is `''`. Throws `DecodeError` in upstream's words (`couldn't get version/kind; …`)
 * for a text that is no JSON object.
 */
export function readTypeMeta(bytes: Uint8Array): { readonly apiVersion: string; readonly kind: string } {
  try {
    return readObject(new TextReader(bytes));
  } catch (error) {
    if (!(error instanceof JsonSyntaxError || error instanceof DecodeError)) throw error;
    throw new DecodeError(`couldn't get version/kind; json parse error: ${error.message}`, { cause: error });
  }
}

function readObject(reader: TextReader): { readonly apiVersion: string; readonly kind: string } {
  const found = { apiVersion: '', kind: '' };
  let problem: string | undefined;
  const kind = reader.kind();
  if (kind !== 'object') {
    reader.skip();
    reader.end();
    if (kind === 'null') return found;
    throw new DecodeError(`json: cannot unmarshal ${kind} into Go value of type ${structType}`);
  }
  reader.enter();
  for (let key = reader.nextKey(); key !== undefined; key = reader.nextKey()) {
    const type = reader.kind();
    if (key !== 'apiVersion' && key !== 'kind') reader.skip();
    else if (type === 'string') found[key] = reader.readString();
    else {
      if (type !== 'null')
        problem ??= `json: cannot unmarshal ${type} into Go struct field .${key} of type string`;
      reader.skip();
    }
  }
  reader.end();
  if (problem !== undefined) throw new DecodeError(problem);
  return found;
}
