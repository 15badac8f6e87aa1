#include "harness/clocks/clock_stub.h"

#if defined(__x86_64__)

// As the C calling convention has it, rax, rcx, rdx, rsi, rdi and r8 to r11 are free to use. The
// stub of clock_gettime keeps rsi, which its siblings count on.
asm(R"(
    .pushsection .rodata
    .balign 16
consistory_clock_stub_begin:
    .ascii "CONSISTORY-CLOCK"
consistory_clock_stub_slots:
    .quad 0, 0, 0
.Lmonotonic:
    .quad 0, 0, 0

consistory_clock_stub_gettime:
    mov $228, %eax
    syscall
    test %eax, %eax
    jnz 3f
    lea consistory_clock_stub_slots(%rip), %r8
    test %edi, %edi                 # CLOCK_REALTIME
    je 1f
    cmp $5, %edi                    # CLOCK_REALTIME_COARSE
    je 1f
    lea .Lmonotonic(%rip), %r8
    cmp $1, %edi                    # CLOCK_MONOTONIC
    je 1f
    cmp $4, %edi                    # CLOCK_MONOTONIC_RAW
    je 1f
    cmp $6, %edi                    # CLOCK_MONOTONIC_COARSE
    je 1f
    cmp $7, %edi                    # CLOCK_BOOTTIME
    jne 3f
1:  imul $1000000000, (%rsi), %rax
    add 8(%rsi), %rax
    mov %rax, %r9
    sub 8(%r8), %r9
    imul 16(%r8), %r9
    sar $20, %r9
    add (%r8), %r9
    add %r9, %rax
    cqo
    mov $1000000000, %ecx
    idiv %rcx
    test %rdx, %rdx
    jns 2f
    add %rcx, %rdx                  # before 1970: nanoseconds count up all the same
    dec %rax
2:  mov %rax, (%rsi)
    mov %rdx, 8(%rsi)
    xor %eax, %eax
3:  ret

consistory_clock_stub_gettimeofday:
    test %rdi, %rdi
    jz 1f
    mov %rdi, %rsi
    xor %edi, %edi
    call consistory_clock_stub_gettime
    mov 8(%rsi), %rax
    xor %edx, %edx
    mov $1000, %ecx
    div %rcx
    mov %rax, 8(%rsi)
1:  xor %eax, %eax
    ret

consistory_clock_stub_time:
    push %rdi
    sub $16, %rsp
    mov %rsp, %rsi
    xor %edi, %edi
    call consistory_clock_stub_gettime
    mov (%rsp), %rax
    add $16, %rsp
    pop %rdi
    test %rdi, %rdi
    jz 1f
    mov %rax, (%rdi)
1:  ret

consistory_clock_stub_trap:
    int3
consistory_clock_stub_end:
    .popsection
)");

extern "C" {
extern const std::byte consistory_clock_stub_begin[];
extern const std::byte consistory_clock_stub_slots[];
extern const std::byte consistory_clock_stub_gettime[];
extern const std::byte consistory_clock_stub_gettimeofday[];
extern const std::byte consistory_clock_stub_time[];
extern const std::byte consistory_clock_stub_trap[];
extern const std::byte consistory_clock_stub_end[];
}

namespace consistory {

ClockStub clock_stub() {
  const auto at = [](const std::byte* label) {
    return static_cast<std::size_t>(label - consistory_clock_stub_begin);
  };
  return {{consistory_clock_stub_begin, consistory_clock_stub_end},
          at(consistory_clock_stub_slots),
          at(consistory_clock_stub_gettime),
          at(consistory_clock_stub_gettimeofday),
          at(consistory_clock_stub_time),
          at(consistory_clock_stub_trap)};
}

}  // namespace consistory

#else

namespace consistory {
ClockStub clock_stub() { return {}; }
}  // namespace consistory

#endif
