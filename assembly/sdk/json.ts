const NULL: i32 = 0;
const BOOLEAN: i32 = 1;
const NUMBER: i32 = 2;
const TEXT: i32 = 3;
const LIST: i32 = 4;
const RECORD: i32 = 5;

/** A JSON value. What it is not reads as nothing: 0, an empty text, false, null. */
export class Json {
  private kind: i32 = NULL;
  private figure: f64 = 0;
  private content: string = '';
  private items: Json[] = [];
  private names: string[] = [];

  static null(): Json {
    return new Json();
  }

  static boolean(value: bool): Json {
    const json = new Json();
    json.kind = BOOLEAN;
    json.figure = value ? 1 : 0;
    return json;
  }

  static number(value: f64): Json {
    const json = new Json();
    json.kind = NUMBER;
    json.figure = value;
    return json;
  }

  static text(value: string): Json {
    const json = new Json();
    json.kind = TEXT;
    json.content = value;
    return json;
  }

  static list(): Json {
    const json = new Json();
    json.kind = LIST;
    return json;
  }

  static record(): Json {
    const json = new Json();
    json.kind = RECORD;
    return json;
  }

  /** Reads JSON text. Traps on what is none: the host writes no such text. */
  static parse(text: string): Json {
    const reader = new Reader(text);
    const value = reader.value();
    reader.end();
    return value;
  }

  get isNull(): bool {
    return this.kind == NULL;
  }

  get isText(): bool {
    return this.kind == TEXT;
  }

  get isNumber(): bool {
    return this.kind == NUMBER;
  }

  get asNumber(): f64 {
    return this.kind == NUMBER ? this.figure : 0;
  }

  get asText(): string {
    return this.content;
  }

  get asBoolean(): bool {
    return this.kind == BOOLEAN && this.figure != 0;
  }

  /** Items of a list, or fields of a record. */
  get length(): i32 {
    return this.items.length;
  }

  /** An item of a list; null beyond its end. */
  at(index: i32): Json {
    return index >= 0 && index < this.items.length ? this.items[index] : new Json();
  }

  has(name: string): bool {
    return this.names.indexOf(name) >= 0;
  }

  /** A field of a record; null where there is none. */
  get(name: string): Json {
    return this.at(this.names.indexOf(name));
  }

  /** The name of a field by its place. */
  nameAt(index: i32): string {
    return this.names[index];
  }

  /** Sets a field of a record; returns the record. */
  set(name: string, value: Json): Json {
    const index = this.names.indexOf(name);
    if (index >= 0) {
      this.items[index] = value;
    } else {
      this.names.push(name);
      this.items.push(value);
    }
    return this;
  }

  setNumber(name: string, value: f64): Json {
    return this.set(name, Json.number(value));
  }

  setText(name: string, value: string): Json {
    return this.set(name, Json.text(value));
  }

  setBoolean(name: string, value: bool): Json {
    return this.set(name, Json.boolean(value));
  }

  /** Appends an item to a list; returns the list. */
  push(value: Json): Json {
    this.items.push(value);
    return this;
  }

  toString(): string {
    if (this.kind == BOOLEAN) return this.figure != 0 ? 'true' : 'false';
    if (this.kind == NUMBER) return numberText(this.figure);
    if (this.kind == TEXT) return quote(this.content);
    if (this.kind == NULL) return 'null';
    const isRecord = this.kind == RECORD;
    const parts = new Array<string>();
    for (let index = 0; index < this.items.length; index++) {
      const value = this.items[index].toString();
      parts.push(isRecord ? quote(this.names[index]) + ':' + value : value);
    }
    return isRecord ? '{' + parts.join(',') + '}' : '[' + parts.join(',') + ']';
  }
}

/** JSON has no number for what is none, nor for what has no end. */
function numberText(value: f64): string {
  if (!isFinite(value)) return 'null';
  const isWhole = Math.abs(value) < 9007199254740992 && Math.floor(value) == value;
  return isWhole ? (<i64>value).toString() : value.toString();
}

function quote(text: string): string {
  const parts = new Array<string>();
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const letter = text.charCodeAt(at);
    if (letter >= 0x20 && letter != 0x22 && letter != 0x5c) continue;
    parts.push(text.substring(from, at));
    parts.push('\\u' + letter.toString(16).padStart(4, '0'));
    from = at + 1;
  }
  parts.push(text.substring(from));
  return '"' + parts.join('') + '"';
}

class Reader {
  private at: i32 = 0;
  private text: string;

  constructor(text: string) {
    this.text = text;
  }

  end(): void {
    this.space();
    assert(this.at == this.text.length, 'JSON goes on after its end');
  }

  value(): Json {
    this.space();
    const letter = this.peek();
    if (letter == 0x7b) return this.record();
    if (letter == 0x5b) return this.list();
    if (letter == 0x22) return Json.text(this.string());
    if (letter == 0x74) return this.word('true', Json.boolean(true));
    if (letter == 0x66) return this.word('false', Json.boolean(false));
    if (letter == 0x6e) return this.word('null', Json.null());
    return Json.number(this.number());
  }

  private peek(): i32 {
    return this.at < this.text.length ? this.text.charCodeAt(this.at) : 0;
  }

  private space(): void {
    while (this.peek() == 0x20 || (this.peek() >= 0x09 && this.peek() <= 0x0d)) this.at++;
  }

  /** Takes one letter that has to be there. */
  private expect(letter: i32): void {
    this.space();
    assert(this.peek() == letter, 'JSON has another letter than it should');
    this.at++;
  }

  /** Takes a letter where it is there. */
  private took(letter: i32): bool {
    this.space();
    if (this.peek() != letter) return false;
    this.at++;
    return true;
  }

  private word(word: string, value: Json): Json {
    assert(this.text.substr(this.at, word.length) == word, 'JSON has an unknown word');
    this.at += word.length;
    return value;
  }

  private record(): Json {
    const record = Json.record();
    this.expect(0x7b);
    if (this.took(0x7d)) return record;
    do {
      this.space();
      const name = this.string();
      this.expect(0x3a);
      record.set(name, this.value());
    } while (this.took(0x2c));
    this.expect(0x7d);
    return record;
  }

  private list(): Json {
    const list = Json.list();
    this.expect(0x5b);
    if (this.took(0x5d)) return list;
    do {
      list.push(this.value());
    } while (this.took(0x2c));
    this.expect(0x5d);
    return list;
  }

  private string(): string {
    this.expect(0x22);
    const parts = new Array<string>();
    let from = this.at;
    while (this.peek() != 0x22) {
      assert(this.at < this.text.length, 'JSON ends within a text');
      if (this.peek() == 0x5c) {
        parts.push(this.text.substring(from, this.at));
        parts.push(this.escape());
        from = this.at;
      } else {
        this.at++;
      }
    }
    parts.push(this.text.substring(from, this.at));
    this.at++;
    return parts.join('');
  }

  private escape(): string {
    const letter = this.text.charCodeAt(this.at + 1);
    this.at += 2;
    if (letter == 0x75) {
      const code = <i32>parseInt(this.text.substr(this.at, 4), 16);
      this.at += 4;
      return String.fromCharCode(code);
    }
    if (letter == 0x6e) return '\n';
    if (letter == 0x74) return '\t';
    if (letter == 0x72) return '\r';
    if (letter == 0x62) return '\b';
    if (letter == 0x66) return '\f';
    return String.fromCharCode(letter);
  }

  private number(): f64 {
    const from = this.at;
    while (this.isOfNumber(this.peek())) this.at++;
    assert(this.at > from, 'JSON has no value where one should be');
    return parseFloat(this.text.substring(from, this.at));
  }

  private isOfNumber(letter: i32): bool {
    if (letter >= 0x30 && letter <= 0x39) return true;
    return letter == 0x2b || letter == 0x2d || letter == 0x2e || letter == 0x45 || letter == 0x65;
  }
}
