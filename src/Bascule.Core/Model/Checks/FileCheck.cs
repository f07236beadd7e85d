namespace Bascule.Core.Model;

/// <summary>What does a file of this machine say about it?</summary>
public sealed record FileCheck : Check
{
    /// <summary>Absolute path. <c>{address}</c> and <c>{port}</c> in it are the real server's.</summary>
    public required string Path { get; init; }

    /// <inheritdoc/>
    public override string Words => $"file {Path}";
}
