using Bascule.Core.Roles;
using Microsoft.Extensions.Logging;

namespace Bascule.Daemon;

/// <summary>Passes every change of the role board on to the engines, from a thread of the pool: the failover thread waits for nobody.</summary>
internal sealed class RoleFollower : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly RoleBoard _board;
    private readonly Action<RoleSet> _follow;
    private readonly ILogger _log;
    private readonly Task _following;

    private RoleFollower(RoleBoard board, RoleSet known, Action<RoleSet> follow, ILogger log)
    {
        (_board, _follow, _log) = (board, follow, log);
        _following = Task.Run(() => FollowAsync(known));
    }

    /// <summary>Begins.</summary>
    /// <param name="known">The set that the engines were started with.</param>
    /// <param name="follow">Has the engines follow a set. Sets that are replaced meanwhile are left out.</param>
    public static RoleFollower Begin(RoleBoard board, RoleSet known, Action<RoleSet> follow, ILogger log) => new(board, known, follow, log);

    /// <summary>Passes nothing on any more.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _following;
        _stopping.Dispose();
    }

    private async Task FollowAsync(RoleSet known)
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                known = await _board.AfterAsync(known, _stopping.Token);
                _follow(known);
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // whatever it is, the next change of roles must be followed all the same
            catch (Exception e)
#pragma warning restore CA1031
            {
                Log.RolesBroke(_log, e);
            }
        }
    }
}
