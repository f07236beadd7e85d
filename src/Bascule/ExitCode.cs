namespace Bascule;

/// <summary>What a shell script learns from <c>$?</c>.</summary>
internal static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Ok = 0;

    /// <summary>Not done; stderr says why.</summary>
    public const int Failed = 1;

    /// <summary>The command line itself makes no sense.</summary>
    public const int Usage = 2;

    /// <summary>Ended at once by a second Ctrl-C or SIGTERM, by the shell's custom of 128 + signal.</summary>
    public const int Interrupted = 130;
}
