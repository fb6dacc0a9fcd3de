//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// The kernels in fixed point for NEON. A line is four registers of four int32s. Package
// product defines them in plain Go: see fixedkernels.go.

// ADD4 sets line c to a + b.
#define ADD4(a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3) \
	VADD a0.S4, b0.S4, c0.S4; \
	VADD a1.S4, b1.S4, c1.S4; \
	VADD a2.S4, b2.S4, c2.S4; \
	VADD a3.S4, b3.S4, c3.S4

// SUM adds line b to a.
#define SUM(a0, a1, a2, a3, b0, b1, b2, b3) ADD4(a0, a1, a2, a3, b0, b1, b2, b3, a0, a1, a2, a3)

#define ZERO(a0, a1, a2, a3) \
	VEOR a0.B16, a0.B16, a0.B16; \
	VEOR a1.B16, a1.B16, a1.B16; \
	VEOR a2.B16, a2.B16, a2.B16; \
	VEOR a3.B16, a3.B16, a3.B16

// STORE writes a line to the table, and moves on to the next one.
#define STORE(a0, a1, a2, a3) VST1.P [a0.S4, a1.S4, a2.S4, a3.S4], 64(R0)

// func buildFixedNEON(tab *int32, groups *int32, n int, lines *int32)
//
// Rows a, b, c and d of a nibble stay in V0 to V15, a+b and c+d in V16 to V23, and zeros in
// V28 to V31. Each entry is stored as soon as it is there, in order.
TEXT ·buildFixedNEON(SB), NOSPLIT, $0-32
	MOVD tab+0(FP), R0
	MOVD groups+8(FP), R1
	MOVD n+16(FP), R2
	MOVD lines+24(FP), R3
	ZERO(V28, V29, V30, V31)

group:
	MOVW.P 4(R1), R4
	ADD    R4<<8, R3, R4 // four lines of 64 bytes
	VLD1.P 64(R4), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1.P 64(R4), [V4.S4, V5.S4, V6.S4, V7.S4]
	VLD1.P 64(R4), [V8.S4, V9.S4, V10.S4, V11.S4]
	VLD1   (R4), [V12.S4, V13.S4, V14.S4, V15.S4]

	STORE(V28, V29, V30, V31)
	STORE(V0, V1, V2, V3)                                                  // a
	STORE(V4, V5, V6, V7)                                                  // b
	ADD4(V0, V1, V2, V3, V4, V5, V6, V7, V16, V17, V18, V19)
	STORE(V16, V17, V18, V19)                                              // a+b
	STORE(V8, V9, V10, V11)                                                // c
	ADD4(V0, V1, V2, V3, V8, V9, V10, V11, V24, V25, V26, V27)
	STORE(V24, V25, V26, V27)                                              // a+c
	ADD4(V4, V5, V6, V7, V8, V9, V10, V11, V24, V25, V26, V27)
	STORE(V24, V25, V26, V27)                                              // b+c
	ADD4(V16, V17, V18, V19, V8, V9, V10, V11, V24, V25, V26, V27)
	STORE(V24, V25, V26, V27)                                              // a+b+c
	STORE(V12, V13, V14, V15)                                              // d
	ADD4(V0, V1, V2, V3, V12, V13, V14, V15, V24, V25, V26, V27)
	STORE(V24, V25, V26, V27)                                              // a+d
	ADD4(V4, V5, V6, V7, V12, V13, V14, V15, V24, V25, V26, V27)
	STORE(V24, V25, V26, V27)                                              // b+d
	ADD4(V16, V17, V18, V19, V12, V13, V14, V15, V24, V25, V26, V27)
	STORE(V24, V25, V26, V27)                                              // a+b+d
	ADD4(V8, V9, V10, V11, V12, V13, V14, V15, V20, V21, V22, V23)
	STORE(V20, V21, V22, V23)                                              // c+d
	ADD4(V0, V1, V2, V3, V20, V21, V22, V23, V24, V25, V26, V27)
	STORE(V24, V25, V26, V27)                                              // a+c+d
	ADD4(V4, V5, V6, V7, V20, V21, V22, V23, V24, V25, V26, V27)
	STORE(V24, V25, V26, V27)                                              // b+c+d
	ADD4(V16, V17, V18, V19, V20, V21, V22, V23, V24, V25, V26, V27)
	STORE(V24, V25, V26, V27)                                              // a+b+c+d

	SUB  $1, R2
	CBNZ R2, group
	RET

// TERM adds the line of the next entry of the list at i to the sums, by way of line t. An
// entry times 4, EntryScale, is the offset of its line in bytes.
#define TERM(i, at, a0, a1, a2, a3, t0, t1, t2, t3) \
	MOVHU.P 2(i), at; \
	ADD     at<<2, R1, at; \
	VLD1    (at), [t0.S4, t1.S4, t2.S4, t3.S4]; \
	SUM(a0, a1, a2, a3, t0, t1, t2, t3)

// ADDROW adds sums to the next row of x.
#define ADDROW(a0, a1, a2, a3) \
	MOVHU.P 2(R2), R12; \
	ADD     R12<<6, R0, R12; \
	VLD1    (R12), [V16.S4, V17.S4, V18.S4, V19.S4]; \
	SUM(a0, a1, a2, a3, V16, V17, V18, V19); \
	VST1    [a0.S4, a1.S4, a2.S4, a3.S4], (R12)

// func addFixedNEON(x *int32, tab *int32, rows *uint16, entry *uint16, length *uint8, times int)
//
// The sums of four rows are in V0 to V15, and begin with 0. They are added to the rows one
// after the other, since the last rows may be the same row again, with empty lists.
TEXT ·addFixedNEON(SB), NOSPLIT, $0-48
	MOVD x+0(FP), R0
	MOVD tab+8(FP), R1
	MOVD rows+16(FP), R2
	MOVD entry+24(FP), R7
	MOVD length+32(FP), R4
	MOVD times+40(FP), R5

rows:
	ADD   $(2*const_listLen), R7, R8
	ADD   $(2*const_listLen), R8, R9
	ADD   $(2*const_listLen), R9, R10
	ADD   $(2*const_listLen), R10, R3 // of the next four rows
	MOVBU (R4), R6                    // the longest of the four lists
	ADD   $4, R4
	ZERO(V0, V1, V2, V3)
	ZERO(V4, V5, V6, V7)
	ZERO(V8, V9, V10, V11)
	ZERO(V12, V13, V14, V15)
	CBZ   R6, done

entry:
	TERM(R7, R11, V0, V1, V2, V3, V16, V17, V18, V19)
	TERM(R8, R12, V4, V5, V6, V7, V20, V21, V22, V23)
	TERM(R9, R13, V8, V9, V10, V11, V24, V25, V26, V27)
	TERM(R10, R14, V12, V13, V14, V15, V28, V29, V30, V31)
	SUB  $1, R6
	CBNZ R6, entry

done:
	ADDROW(V0, V1, V2, V3)
	ADDROW(V4, V5, V6, V7)
	ADDROW(V8, V9, V10, V11)
	ADDROW(V12, V13, V14, V15)
	MOVD R3, R7
	SUB  $1, R5
	CBNZ R5, rows
	RET

// func addBitsNEON(x *int32, xstride int, lines *int32, room int, words *uint64, n int)
//
// The sums of four panels are in V0 to V15.
TEXT ·addBitsNEON(SB), NOSPLIT, $0-48
	MOVD   x+0(FP), R0
	MOVD   xstride+8(FP), R1
	MOVD   lines+16(FP), R2
	MOVD   room+24(FP), R3
	MOVD   words+32(FP), R4
	MOVD   n+40(FP), R5
	MOVD   R0, R6
	VLD1.P (R6)(R1), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1.P (R6)(R1), [V4.S4, V5.S4, V6.S4, V7.S4]
	VLD1.P (R6)(R1), [V8.S4, V9.S4, V10.S4, V11.S4]
	VLD1   (R6), [V12.S4, V13.S4, V14.S4, V15.S4]

word:
	MOVD.P 8(R4), R7
	CBZ    R7, next

bit:
	RBIT   R7, R8
	CLZ    R8, R8          // the place of the lowest bit
	ADD    R8<<6, R2, R9
	SUB    $1, R7, R8
	AND    R8, R7          // without that bit
	VLD1.P (R9)(R3), [V16.S4, V17.S4, V18.S4, V19.S4]
	VLD1.P (R9)(R3), [V20.S4, V21.S4, V22.S4, V23.S4]
	VLD1.P (R9)(R3), [V24.S4, V25.S4, V26.S4, V27.S4]
	VLD1   (R9), [V28.S4, V29.S4, V30.S4, V31.S4]
	SUM(V0, V1, V2, V3, V16, V17, V18, V19)
	SUM(V4, V5, V6, V7, V20, V21, V22, V23)
	SUM(V8, V9, V10, V11, V24, V25, V26, V27)
	SUM(V12, V13, V14, V15, V28, V29, V30, V31)
	CBNZ   R7, bit

next:
	ADD  $4096, R2 // 64 lines
	SUB  $1, R5
	CBNZ R5, word

	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], (R0)(R1)
	VST1.P [V4.S4, V5.S4, V6.S4, V7.S4], (R0)(R1)
	VST1.P [V8.S4, V9.S4, V10.S4, V11.S4], (R0)(R1)
	VST1   [V12.S4, V13.S4, V14.S4, V15.S4], (R0)
	RET
