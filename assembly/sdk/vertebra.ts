/**
 * What the host gives to a Behavior; `index.ts` makes of it what an author uses. The name of this
 * file is the name of the module that is imported. A text is UTF-8, as a pointer and a length in
 * bytes. What the host says waits until `take` copies it: functions with a result return its
 * length, and -1 - length of the reason where the host refuses.
 */
export declare function entry(): i32;
export declare function pact(): i32;
export declare function invocation(): i32;
/** -1 where there is none. */
export declare function state(): i32;
export declare function setState(at: usize, length: i32): void;
export declare function query(at: usize, length: i32): i32;
export declare function produce(at: usize, length: i32): i32;
export declare function device(at: usize, length: i32): i32;
export declare function take(at: usize): void;
export declare function fail(at: usize, length: i32): void;
export declare function log(at: usize, length: i32): void;
export declare function at(): f64;
export declare function random(): f64;
export declare function step(): i32;
