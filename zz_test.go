package rbm
import ("testing";"context";"math/rand/v2")
func TestZZ(t *testing.T) {
	for seed := range uint64(2) {
	m, rows, ptt := twoClusters(t, seed, 60)
	want := m.LogPartition()
	l, _ := NewPTT(20, 1, ptt.Models(), rand.NewPCG(1, 9)).LogZ(context.Background(), m, rows, 400)
	t.Log(want, l, l.SwapRates)
	a := NewAIS(3000, 3, rand.NewPCG(1, 1))
	a.Ladder = NewPTT(12, 1, ptt.Models(), rand.NewPCG(1, 9))
	x, _ := m.LogLikelihood(context.Background(), rows, a)
	t.Log(x)
	}
}
