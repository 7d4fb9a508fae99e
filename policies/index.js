// Pulumi's runner puts ts-node in the way of every .ts file that it loads
// itself. What is imported from here, Node strips of its types.
import "./pack.ts";
