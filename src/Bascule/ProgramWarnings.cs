using System.Collections.Immutable;
using Bascule.Core.Config;
using Bascule.Core.Model;
using Bascule.Linux;
using Bascule.Linux.Process;

namespace Bascule;

/// <summary>What only the machine itself can tell about the programs of a configuration: whether those are there as whom they are to run.</summary>
internal static class ProgramWarnings
{
    /// <summary>Warnings about the whole file.</summary>
    public static ImmutableArray<Problem> Of(Configuration configuration) =>
    [
        .. CheckParts.Of(configuration).OfType<ScriptCheck>().Select(script => script.User).OfType<string>().Distinct().Where(IsNobody)
            .Select(user => new Problem(Location.Start, $"there is no user {user} here, so the script checks that are to run as one ask nothing", "make that user, or write another `user`")),
    ];

    private static bool IsNobody(string user)
    {
        try
        {
            return UserAccount.Find(user) is null;
        }
        catch (KernelException)
        {
            return false; // nobody knows now; the check will ask again
        }
    }
}
