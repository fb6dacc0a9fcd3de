package rbm
import "context"
func (m *RBM) LogPartitionContext(ctx context.Context) (float64, error) { return m.LogPartition(), nil }
