/** For the faces: whether databases of one World hold the same. */
export { type Comparison, compareWorlds } from '../storage/world-digest.ts';
