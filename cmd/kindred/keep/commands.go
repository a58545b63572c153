// Package keep holds the commands that maintain a data directory, its positions in Kafka and the receivers of its feed.
package keep

import "github.com/spf13/cobra"

// Commands returns the commands of this group.
func Commands() []*cobra.Command {
	return []*cobra.Command{newVerify(), newBackup(), newRestore(), newKafka(), newDeadLetters(), newReceivers(), newKeys(), newAudience(), newTrait(), newCluster()}
}
