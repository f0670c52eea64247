// Package identity keeps who a participant is, apart from the data and encrypted
// under a key of its own; or nothing of it.
package identity

import _ "filippo.io/age" // the vault's encryption
