namespace Bascule.Linux.Bpf;

/// <summary>A BPF object could not be opened or loaded. The message is a sentence for the operator.</summary>
public sealed class BpfException(string message, string log = "")
    : Exception(message)
{
    /// <summary>What the library and the kernel's verifier said, in full; empty when they said nothing.</summary>
    public string Log { get; } = log;
}
